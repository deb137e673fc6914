"""what partners may use try-on for

Revision: v0006_tryon_approvals, after v0005_authorizations
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = 'v0006_tryon_approvals'
down_revision = 'v0005_authorizations'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('tryon_approvals',
    sa.Column('organization_id', sa.Text(), nullable=False),
    sa.Column('use_case', sa.Text(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.CheckConstraint("use_case ~ '^[a-z][a-z0-9_]{0,63}$'", name=op.f('ck_tryon_approvals_use_case')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_tryon_approvals_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'use_case', name=op.f('pk_tryon_approvals'))
    )


def downgrade() -> None:
    op.drop_table('tryon_approvals')
