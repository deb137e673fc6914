"""deliveries that wait for their endpoint, and what workers have counted

Revision: v0004_webhooks, after v0003_identity
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = 'v0004_webhooks'
down_revision = 'v0003_identity'
branch_labels = None
depends_on = None

STATUS = "status in ('waiting', 'leased', '{}', 'blocked', 'delivered', 'failed', 'cancelled')"
THIS_TRANSACTION = '((pg_current_xact_id())::text)::bigint'


def _status(word: str) -> None:
    op.drop_constraint(op.f('ck_deliveries_status'), 'deliveries')
    op.create_check_constraint(op.f('ck_deliveries_status'), 'deliveries', STATUS.format(word))


def upgrade() -> None:
    _status('queued')
    op.create_index('ix_deliveries_queued', 'deliveries', ['endpoint_id', 'position'], unique=False, postgresql_where="status = 'queued'")
    op.add_column('delivery_workers', sa.Column('totals', postgresql.JSON(astext_type=sa.Text()), server_default='{}', nullable=False))
    op.add_column('webhook_endpoints', sa.Column('transaction', sa.BigInteger(), server_default=sa.text(THIS_TRANSACTION), nullable=False))


def downgrade() -> None:
    op.drop_column('webhook_endpoints', 'transaction')
    op.drop_column('delivery_workers', 'totals')
    op.drop_index('ix_deliveries_queued', table_name='deliveries')
    _status('held')
