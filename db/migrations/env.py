"""Alembic's way in: the caller hands over an open connection, so no address is configured here."""

from alembic import context

from db.tables import Table

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=Table.metadata, compare_type=True, transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()
