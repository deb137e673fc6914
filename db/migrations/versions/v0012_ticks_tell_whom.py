"""each tick of the dispatcher tells whose logs grew

Revision: v0012_ticks_tell_whom, after v0011_client_uses
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = 'v0012_ticks_tell_whom'
down_revision = 'v0011_client_uses'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('dispatch_ticks', sa.Column('users', postgresql.ARRAY(sa.Text()), nullable=True))


def downgrade() -> None:
    op.drop_column('dispatch_ticks', 'users')
