"""what each client used of the API, by day

Revision: v0011_client_uses, after v0010_recommendations
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = 'v0011_client_uses'
down_revision = 'v0010_recommendations'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('client_uses',
    sa.Column('client_id', sa.Text(collation='C'), nullable=False),
    sa.Column('coordinate', sa.Text(collation='C'), nullable=False),
    sa.Column('day', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.Column('last_used_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('operation', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('client_id', 'coordinate', 'day', name=op.f('pk_client_uses')),
    postgresql_partition_by='RANGE (day)'
    )
    # What belongs to no day that was made ahead is kept all the same.
    op.execute('create table days.client_uses_other partition of client_uses default')


def downgrade() -> None:
    op.drop_table('client_uses')
