"""tasks of recommendations are taken kind by kind, and words counted when many are new

Revision: v0013_recommendation_lanes, after v0012_ticks_tell_whom
"""

import sqlalchemy as sa
from alembic import op

revision = 'v0013_recommendation_lanes'
down_revision = 'v0012_ticks_tell_whom'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index('ix_recommendation_tasks_quick', table_name='recommendation_tasks')
    op.drop_index('ix_recommendation_tasks_search', table_name='recommendation_tasks')
    op.create_index('ix_recommendation_tasks_kind_id', 'recommendation_tasks', ['kind', 'id'], unique=False)
    op.add_column('recommendation_refresh', sa.Column('unlearned', sa.BigInteger(), server_default='0', nullable=False))


def downgrade() -> None:
    op.drop_column('recommendation_refresh', 'unlearned')
    op.drop_index('ix_recommendation_tasks_kind_id', table_name='recommendation_tasks')
    op.create_index('ix_recommendation_tasks_quick', 'recommendation_tasks', ['id'], unique=False, postgresql_where="kind <> 'search'")
    op.create_index('ix_recommendation_tasks_search', 'recommendation_tasks', ['id'], unique=False, postgresql_where="kind = 'search'")
