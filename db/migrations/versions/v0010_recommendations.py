"""what recommendations are made of

Revision: v0010_recommendations, after v0009_passkeys
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = 'v0010_recommendations'
down_revision = 'v0009_passkeys'
branch_labels = None
depends_on = None


# Whatever calls for a refresh writes a task in its own transaction. A statement writes all of its tasks at once.
_TASKS = """
    create function recommendation_task() returns trigger language plpgsql as $$
    begin
      insert into recommendation_tasks (kind, item) select tg_argv[0], r.id from changed_rows r;
      return null;
    end $$
"""
_CHANGED = """
    create function recommendation_product_changed() returns trigger language plpgsql as $$
    begin
      insert into recommendation_tasks (kind, item) select 'product', n.id from new_rows n join old_rows o on o.id = n.id
        where (n.updated_at, n.reach) is distinct from (o.updated_at, o.reach);
      return null;
    end $$
"""
_ON = """
    create trigger recommendation_task after {act} on {table} referencing {which} table as changed_rows
      for each statement execute function recommendation_task('{kind}')
"""
_ON_UPDATE = """
    create trigger recommendation_product_changed after update on products
      referencing old table as old_rows new table as new_rows
      for each statement execute function recommendation_product_changed()
"""
_WATCHED = {"products": "product", "orders": "order", "tryon_sessions": "tryon"}


def upgrade() -> None:
    op.create_table('recommendation_refresh',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('counted', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('listed', sa.BigInteger(), server_default='0', nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_recommendation_refresh_single')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recommendation_refresh'))
    )
    op.create_table('recommendation_tasks',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('item', sa.Text(), nullable=False),
    sa.Column('at', postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("kind in ('order', 'tryon', 'product', 'search', 'list')", name=op.f('ck_recommendation_tasks_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recommendation_tasks'))
    )
    op.create_index('ix_recommendation_tasks_item', 'recommendation_tasks', ['item'], unique=False, postgresql_where="kind in ('search', 'list')")
    op.create_index('ix_recommendation_tasks_quick', 'recommendation_tasks', ['id'], unique=False, postgresql_where="kind <> 'search'")
    op.create_index('ix_recommendation_tasks_search', 'recommendation_tasks', ['id'], unique=False, postgresql_where="kind = 'search'")
    op.create_table('product_features',
    sa.Column('product_id', sa.Text(), nullable=False),
    sa.Column('storefront_id', sa.Text(), nullable=False),
    sa.Column('listed', sa.Boolean(), nullable=False),
    sa.Column('words', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('weights', postgresql.ARRAY(sa.REAL()), server_default='{}', nullable=False),
    sa.Column('searched_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    sa.PrimaryKeyConstraint('product_id', name=op.f('pk_product_features'))
    )
    op.create_index('ix_product_features_searched_at', 'product_features', ['searched_at'], unique=False)
    op.create_index('ix_product_features_storefront_id', 'product_features', ['storefront_id'], unique=False, postgresql_where='listed')
    op.create_index('ix_product_features_words', 'product_features', ['words'], unique=False, postgresql_using='gin', postgresql_where='listed', postgresql_with={'fastupdate': 'off'})
    op.create_table('product_pairs',
    sa.Column('product_id', sa.Text(), nullable=False),
    sa.Column('other_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('weight', sa.Float(precision=53), nullable=False),
    sa.Column('visitors', sa.Integer(), nullable=False),
    sa.CheckConstraint("kind in ('bought', 'tried', 'viewed')", name=op.f('ck_product_pairs_kind')),
    sa.PrimaryKeyConstraint('product_id', 'other_id', 'kind', name=op.f('pk_product_pairs'))
    )
    op.create_index('ix_product_pairs_other_id', 'product_pairs', ['other_id'], unique=False)
    op.create_table('recommendations',
    sa.Column('product_id', sa.Text(), nullable=False),
    sa.Column('other_id', sa.Text(), nullable=False),
    sa.Column('points', sa.SmallInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.CheckConstraint("reason in ('bought', 'tried', 'viewed', 'similar')", name=op.f('ck_recommendations_reason')),
    sa.CheckConstraint('points between 1 and 999', name=op.f('ck_recommendations_points')),
    sa.CheckConstraint('product_id <> other_id', name=op.f('ck_recommendations_another')),
    sa.PrimaryKeyConstraint('product_id', 'other_id', name=op.f('pk_recommendations'))
    )
    op.create_index('ix_recommendations_other_id', 'recommendations', ['other_id'], unique=False)
    op.create_table('tryon_visits',
    sa.Column('visitor', sa.LargeBinary(), nullable=False),
    sa.Column('product_id', sa.Text(), nullable=False),
    sa.Column('last_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.PrimaryKeyConstraint('visitor', 'product_id', name=op.f('pk_tryon_visits'))
    )
    op.create_index('ix_tryon_visits_product_id', 'tryon_visits', ['product_id'], unique=False)

    op.execute(_TASKS)
    op.execute(_CHANGED)
    for table, kind in _WATCHED.items():
        # What is there already is work like any other.
        op.execute(f"insert into recommendation_tasks (kind, item) select '{kind}', id from {table} order by id")
        op.execute(_ON.format(act="insert", table=table, which="new", kind=kind))
    op.execute(_ON.format(act="delete", table="products", which="old", kind="product").replace("recommendation_task after", "recommendation_product_gone after"))
    op.execute(_ON_UPDATE)
    op.execute("insert into recommendation_refresh (id) values (1)")


def downgrade() -> None:
    op.execute('drop function recommendation_product_changed cascade')
    op.execute('drop function recommendation_task cascade')
    op.drop_index('ix_tryon_visits_product_id', table_name='tryon_visits')
    op.drop_table('tryon_visits')
    op.drop_index('ix_recommendations_other_id', table_name='recommendations')
    op.drop_table('recommendations')
    op.drop_index('ix_product_pairs_other_id', table_name='product_pairs')
    op.drop_table('product_pairs')
    op.drop_index('ix_product_features_words', table_name='product_features', postgresql_using='gin', postgresql_where='listed', postgresql_with={'fastupdate': 'off'})
    op.drop_index('ix_product_features_storefront_id', table_name='product_features', postgresql_where='listed')
    op.drop_index('ix_product_features_searched_at', table_name='product_features')
    op.drop_table('product_features')
    op.drop_index('ix_recommendation_tasks_search', table_name='recommendation_tasks', postgresql_where="kind = 'search'")
    op.drop_index('ix_recommendation_tasks_quick', table_name='recommendation_tasks', postgresql_where="kind <> 'search'")
    op.drop_index('ix_recommendation_tasks_item', table_name='recommendation_tasks', postgresql_where="kind in ('search', 'list')")
    op.drop_table('recommendation_tasks')
    op.drop_table('recommendation_refresh')
