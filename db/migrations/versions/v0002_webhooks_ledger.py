"""the log of events by day, and the ledger of deliveries

Revision: v0002_webhooks, after v0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = 'v0002_webhooks'
down_revision = 'v0001'
branch_labels = None
depends_on = None

SEQUENCES = ('event_sequence', 'feed_position', 'delivery_position', 'dispatch_tick')
LOGS = ('events', 'event_feed', 'deliveries', 'delivery_attempts', 'dispatch_ticks')
ID_PREFIXES = {'events': 'evt', 'deliveries': 'dlv', 'webhook_secrets': 'key', 'webhook_notices': 'ntc'}


def upgrade() -> None:
    for sequence in SEQUENCES:
        op.execute(f'create sequence {sequence}')
    op.create_table('deliveries',
    sa.Column('id', sa.Text(collation='C'), nullable=False),
    sa.Column('position', sa.BigInteger(), server_default=sa.text("nextval('delivery_position')"), nullable=False),
    sa.Column('event_id', sa.Text(collation='C'), nullable=False),
    sa.Column('endpoint_id', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('resource_id', sa.Text(), nullable=False),
    sa.Column('resource_sequence', sa.Integer(), nullable=False),
    sa.Column('cause', sa.Text(), nullable=False),
    sa.Column('ordered', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('retries', sa.Integer(), server_default='0', nullable=False),
    sa.Column('due_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    sa.Column('leased_by', sa.Text(), nullable=True),
    sa.Column('last_status', sa.Integer(), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('finished_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    sa.CheckConstraint("cause in ('event', 'replay', 'test')", name=op.f('ck_deliveries_cause')),
    sa.CheckConstraint("status in ('waiting', 'leased', 'blocked', 'held', 'delivered', 'failed', 'cancelled')", name=op.f('ck_deliveries_status')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deliveries')),
    postgresql_partition_by='RANGE (id)'
    )
    op.create_index('ix_deliveries_due', 'deliveries', ['due_at'], unique=False, postgresql_where="status = 'waiting'")
    op.create_index('ix_deliveries_endpoint_id_id', 'deliveries', ['endpoint_id', 'id'], unique=False)
    op.create_index('ix_deliveries_lane', 'deliveries', ['endpoint_id', 'resource_id', 'position'], unique=False, postgresql_where='ordered and finished_at is null')
    op.create_index('ix_deliveries_leased', 'deliveries', ['leased_by'], unique=False, postgresql_where="status = 'leased'")
    op.create_table('delivery_attempts',
    sa.Column('delivery_id', sa.Text(collation='C'), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('started_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('duration_ms', sa.Integer(), nullable=False),
    sa.Column('request_headers', postgresql.JSON(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('response_headers', postgresql.JSON(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('response_body', sa.LargeBinary(), nullable=False),
    sa.CheckConstraint("outcome in ('delivered', 'refused', 'timeout', 'unreachable', 'blocked_address', 'gone')", name=op.f('ck_delivery_attempts_outcome')),
    sa.PrimaryKeyConstraint('delivery_id', 'number', name=op.f('pk_delivery_attempts')),
    postgresql_partition_by='RANGE (delivery_id)'
    )
    op.create_table('delivery_workers',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('started_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('seen_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery_workers'))
    )
    op.create_table('dispatch_ticks',
    sa.Column('id', sa.BigInteger(), server_default=sa.text("nextval('dispatch_tick')"), nullable=False),
    sa.Column('at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('low', sa.Text(), nullable=False),
    sa.Column('high', sa.Text(), nullable=False),
    sa.Column('after', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', 'at', name=op.f('pk_dispatch_ticks')),
    postgresql_partition_by='RANGE (at)'
    )
    op.create_table('event_feed',
    sa.Column('user_id', sa.Text(collation='C'), nullable=False),
    sa.Column('position', sa.BigInteger(), server_default=sa.text("nextval('feed_position')"), nullable=False),
    sa.Column('event_id', sa.Text(collation='C'), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('storefront_id', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('user_id', 'position', 'event_id', name=op.f('pk_event_feed')),
    postgresql_partition_by='RANGE (event_id)'
    )
    op.create_table('resource_sequences',
    sa.Column('resource_id', sa.Text(collation='C'), nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('resource_id', name=op.f('pk_resource_sequences')),
    postgresql_with={'fillfactor': 50}
    )
    op.create_table('webhook_notices',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('endpoint_id', sa.Text(), nullable=False),
    sa.Column('owner_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.CheckConstraint("kind in ('failing', 'disabled', 'enabled', 'paused', 'resumed', 'secret_rotated')", name=op.f('ck_webhook_notices_kind')),
    sa.ForeignKeyConstraint(['owner_id'], ['users.id'], name=op.f('fk_webhook_notices_owner_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_notices'))
    )
    op.create_index('ix_webhook_notices_endpoint_id_id', 'webhook_notices', ['endpoint_id', 'id'], unique=False)
    op.create_table('webhook_secrets',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('endpoint_id', sa.Text(), nullable=False),
    sa.Column('secret_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('seed_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    sa.ForeignKeyConstraint(['endpoint_id'], ['webhook_endpoints.id'], name=op.f('fk_webhook_secrets_endpoint_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_secrets'))
    )
    op.create_index('ix_webhook_secrets_endpoint_id', 'webhook_secrets', ['endpoint_id'], unique=False)
    op.drop_table('events')
    op.create_table('events',
    sa.Column('id', sa.Text(collation='C'), nullable=False),
    sa.Column('sequence', sa.BigInteger(), server_default=sa.text("nextval('event_sequence')"), nullable=False),
    sa.Column('transaction', sa.BigInteger(), server_default=sa.text('((pg_current_xact_id())::text)::bigint'), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('version', sa.Text(), nullable=False),
    sa.Column('occurred_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('resource_id', sa.Text(), nullable=False),
    sa.Column('resource_sequence', sa.Integer(), nullable=False),
    sa.Column('storefront_id', sa.Text(), nullable=True),
    sa.Column('audience', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('payload', postgresql.JSON(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_events')),
    postgresql_partition_by='RANGE (id)'
    )
    op.create_index('ix_events_transaction', 'events', ['transaction'], unique=False)
    op.add_column('webhook_endpoints', sa.Column('storefront_ids', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False))
    op.add_column('webhook_endpoints', sa.Column('status_reason', sa.Text(), nullable=True))
    op.add_column('webhook_endpoints', sa.Column('ordered', sa.Boolean(), server_default='false', nullable=False))
    op.add_column('webhook_endpoints', sa.Column('concurrency', sa.Integer(), server_default='10', nullable=False))
    op.add_column('webhook_endpoints', sa.Column('rate_limit', sa.Integer(), nullable=True))
    op.add_column('webhook_endpoints', sa.Column('failing_since', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True))
    op.add_column('webhook_endpoints', sa.Column('last_success_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True))
    op.add_column('webhook_endpoints', sa.Column('last_failure_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True))
    op.add_column('webhook_endpoints', sa.Column('notices_sent', sa.Integer(), server_default='0', nullable=False))
    op.drop_column('webhook_endpoints', 'secret')
    op.create_check_constraint(op.f('ck_webhook_endpoints_concurrency'), 'webhook_endpoints', 'concurrency between 1 and 100')
    op.create_check_constraint(op.f('ck_webhook_endpoints_rate_limit'), 'webhook_endpoints', 'rate_limit between 1 and 10000')
    for table, prefix in ID_PREFIXES.items():
        op.create_check_constraint(op.f(f'ck_{table}_id'), table, f"id ~ '^{prefix}_[0-7][0-9A-HJKMNP-TV-Z]{{25}}$'")
    # Days are tables of their own schema; what belongs to no day that was made ahead is kept all the same.
    op.execute('create schema days')
    for table in LOGS:
        op.execute(f'create table days.{table}_other partition of {table} default')


def downgrade() -> None:
    for table in (*LOGS, 'delivery_workers', 'resource_sequences', 'webhook_notices', 'webhook_secrets'):
        op.execute(f'drop table {table} cascade')
    op.execute('drop schema days')
    for sequence in SEQUENCES:
        op.execute(f'drop sequence {sequence}')
    op.create_table('events',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('sequence', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('version', sa.Text(), nullable=False),
    sa.Column('occurred_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('resource_id', sa.Text(), nullable=False),
    sa.Column('resource_sequence', sa.Integer(), nullable=False),
    sa.Column('audience', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('payload', postgresql.JSON(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_events'))
    )
    op.create_index('ix_events_resource_id_resource_sequence', 'events', ['resource_id', 'resource_sequence'], unique=True)
    op.create_index('ix_events_sequence', 'events', ['sequence'], unique=False)
    op.execute("alter table webhook_endpoints add column secret text not null default ''")
    op.drop_constraint(op.f('ck_webhook_endpoints_concurrency'), 'webhook_endpoints')
    op.drop_constraint(op.f('ck_webhook_endpoints_rate_limit'), 'webhook_endpoints')
    op.drop_column('webhook_endpoints', 'storefront_ids')
    op.drop_column('webhook_endpoints', 'status_reason')
    op.drop_column('webhook_endpoints', 'ordered')
    op.drop_column('webhook_endpoints', 'concurrency')
    op.drop_column('webhook_endpoints', 'rate_limit')
    op.drop_column('webhook_endpoints', 'failing_since')
    op.drop_column('webhook_endpoints', 'last_success_at')
    op.drop_column('webhook_endpoints', 'last_failure_at')
    op.drop_column('webhook_endpoints', 'notices_sent')
