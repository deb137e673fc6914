"""what was revoked before it expired

Revision: v0003_identity, after v0002_webhooks
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = 'v0003_identity'
down_revision = 'v0002_webhooks'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('revocations',
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('revoked_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.CheckConstraint("kind in ('token', 'family', 'client', 'key', 'keys')", name=op.f('ck_revocations_kind')),
    sa.PrimaryKeyConstraint('kind', 'subject', name=op.f('pk_revocations'))
    )
    op.create_index('ix_revocations_expires_at', 'revocations', ['expires_at'], unique=False)
    op.create_index('ix_revocations_revoked_at', 'revocations', ['revoked_at'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_revocations_revoked_at', table_name='revocations')
    op.drop_index('ix_revocations_expires_at', table_name='revocations')
    op.drop_table('revocations')
