"""creators' passkeys

Revision: v0009_passkeys, after v0008_twins
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = 'v0009_passkeys'
down_revision = 'v0008_twins'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('passkeys',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('credential_id', sa.LargeBinary(), nullable=False),
    sa.Column('credential', sa.LargeBinary(), nullable=False),
    sa.Column('counter', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('last_used_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    sa.CheckConstraint("id ~ '^pky_[0-7][0-9A-HJKMNP-TV-Z]{25}$'", name=op.f('ck_passkeys_id')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_passkeys_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_passkeys')),
    sa.UniqueConstraint('credential_id', name=op.f('uq_passkeys_credential_id'))
    )
    op.create_index('ix_passkeys_user_id_id', 'passkeys', ['user_id', 'id'])


def downgrade() -> None:
    op.drop_table('passkeys')
