"""digital twins and size charts; whether a twin is active follows from its rows

Revision: v0008_twins, after v0007_clients_and_audit
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = 'v0008_twins'
down_revision = 'v0007_clients_and_audit'
branch_labels = None
depends_on = None

ID_PREFIXES = {
    'twin_consents': 'twc', 'twin_measurements': 'msm', 'twin_fit_preferences': 'fit', 'twin_known_sizes': 'kns',
    'size_chart_entries': 'sce',
}


def upgrade() -> None:
    op.create_table('twins',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.ForeignKeyConstraint(['id'], ['users.id'], name=op.f('fk_twins_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_twins'))
    )
    op.create_table('twin_consents',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('client_id', sa.Text(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('policy_version', sa.Text(), nullable=False),
    sa.Column('given_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('withdrawn_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    sa.CheckConstraint("purpose in ('measurements', 'size_advice')", name=op.f('ck_twin_consents_purpose')),
    sa.ForeignKeyConstraint(['client_id'], ['clients.id'], name=op.f('fk_twin_consents_client_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['twins.id'], name=op.f('fk_twin_consents_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_twin_consents'))
    )
    op.create_index('ix_twin_consents_user_id_id', 'twin_consents', ['user_id', 'id'], unique=False)
    op.create_index('uq_twin_consents_active', 'twin_consents', ['user_id', 'client_id', 'purpose'], unique=True, postgresql_where='withdrawn_at is null')
    op.create_table('twin_fit_preferences',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=True),
    sa.Column('fit', sa.Text(), nullable=False),
    sa.CheckConstraint("fit in ('close', 'regular', 'loose')", name=op.f('ck_twin_fit_preferences_fit')),
    sa.ForeignKeyConstraint(['user_id'], ['twins.id'], name=op.f('fk_twin_fit_preferences_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_twin_fit_preferences'))
    )
    op.create_index('ix_twin_fit_preferences_user_id_id', 'twin_fit_preferences', ['user_id', 'id'], unique=False)
    op.create_table('twin_known_sizes',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('brand', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=True),
    sa.Column('size', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['twins.id'], name=op.f('fk_twin_known_sizes_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_twin_known_sizes'))
    )
    op.create_index('ix_twin_known_sizes_user_id_id', 'twin_known_sizes', ['user_id', 'id'], unique=False)
    op.create_table('twin_measurements',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('dimension', sa.Text(), nullable=False),
    sa.Column('value', sa.Numeric(), nullable=False),
    sa.Column('unit', sa.Text(), nullable=False),
    sa.Column('millimetres', sa.Numeric(), nullable=False),
    sa.Column('method', sa.Text(), nullable=False),
    sa.Column('confidence', sa.Numeric(), nullable=False),
    sa.Column('measured_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.CheckConstraint("dimension in ('stature', 'head_girth', 'neck_girth', 'neck_base_girth', 'chest_girth', 'bust_girth', 'underbust_girth', 'waist_girth', 'hip_girth', 'thigh_girth', 'knee_girth', 'calf_girth', 'ankle_girth', 'upper_arm_girth', 'wrist_girth', 'hand_girth', 'hand_length', 'shoulder_length', 'shoulder_width', 'arm_length', 'inside_leg_length', 'outside_leg_length', 'foot_length')", name=op.f('ck_twin_measurements_dimension')),
    sa.CheckConstraint("method in ('self_reported', 'tape', 'scan_3d', 'photo')", name=op.f('ck_twin_measurements_method')),
    sa.CheckConstraint("unit in ('mm', 'cm', 'in')", name=op.f('ck_twin_measurements_unit')),
    sa.CheckConstraint('confidence between 0 and 1', name=op.f('ck_twin_measurements_confidence')),
    sa.ForeignKeyConstraint(['user_id'], ['twins.id'], name=op.f('fk_twin_measurements_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_twin_measurements')),
    sa.UniqueConstraint('user_id', 'dimension', 'measured_at', name=op.f('uq_twin_measurements_user_id_dimension_measured_at'))
    )
    op.create_index('ix_twin_measurements_user_id_id', 'twin_measurements', ['user_id', 'id'], unique=False)
    op.create_table('size_charts',
    sa.Column('product_id', sa.Text(), nullable=False),
    sa.Column('measures', sa.Text(), nullable=False),
    sa.Column('unit', sa.Text(), nullable=False),
    sa.Column('brand', sa.Text(), nullable=True),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.CheckConstraint("measures in ('body', 'garment')", name=op.f('ck_size_charts_measures')),
    sa.CheckConstraint("unit in ('mm', 'cm', 'in')", name=op.f('ck_size_charts_unit')),
    sa.ForeignKeyConstraint(['product_id'], ['products.id'], name=op.f('fk_size_charts_product_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('product_id', name=op.f('pk_size_charts'))
    )
    op.create_table('size_chart_entries',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('product_id', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('size', sa.Text(), nullable=False),
    sa.Column('dimension', sa.Text(), nullable=False),
    sa.Column('lower', sa.Numeric(), nullable=False),
    sa.Column('upper', sa.Numeric(), nullable=False),
    sa.Column('ease_lower', sa.Numeric(), nullable=True),
    sa.Column('ease_upper', sa.Numeric(), nullable=True),
    sa.CheckConstraint("dimension in ('stature', 'head_girth', 'neck_girth', 'neck_base_girth', 'chest_girth', 'bust_girth', 'underbust_girth', 'waist_girth', 'hip_girth', 'thigh_girth', 'knee_girth', 'calf_girth', 'ankle_girth', 'upper_arm_girth', 'wrist_girth', 'hand_girth', 'hand_length', 'shoulder_length', 'shoulder_width', 'arm_length', 'inside_leg_length', 'outside_leg_length', 'foot_length')", name=op.f('ck_size_chart_entries_dimension')),
    sa.CheckConstraint('ease_lower <= ease_upper', name=op.f('ck_size_chart_entries_ease')),
    sa.CheckConstraint('lower <= upper', name=op.f('ck_size_chart_entries_range')),
    sa.ForeignKeyConstraint(['product_id'], ['size_charts.product_id'], name=op.f('fk_size_chart_entries_product_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_size_chart_entries')),
    sa.UniqueConstraint('product_id', 'size', 'dimension', name=op.f('uq_size_chart_entries_product_id_size_dimension'))
    )
    op.create_index('ix_size_chart_entries_product_id_position_id', 'size_chart_entries', ['product_id', 'position', 'id'], unique=False)
    for table, prefix in ID_PREFIXES.items():
        op.create_check_constraint(op.f(f'ck_{table}_id'), table, f"id ~ '^{prefix}_[0-7][0-9A-HJKMNP-TV-Z]{{25}}$'")
    op.drop_column('users', 'twin_active')


def downgrade() -> None:
    op.add_column('users', sa.Column('twin_active', sa.Boolean(), server_default='false', nullable=False))
    op.drop_index('ix_size_chart_entries_product_id_position_id', table_name='size_chart_entries')
    op.drop_table('size_chart_entries')
    op.drop_table('size_charts')
    op.drop_index('ix_twin_measurements_user_id_id', table_name='twin_measurements')
    op.drop_table('twin_measurements')
    op.drop_index('ix_twin_known_sizes_user_id_id', table_name='twin_known_sizes')
    op.drop_table('twin_known_sizes')
    op.drop_index('ix_twin_fit_preferences_user_id_id', table_name='twin_fit_preferences')
    op.drop_table('twin_fit_preferences')
    op.drop_index('uq_twin_consents_active', table_name='twin_consents', postgresql_where='withdrawn_at is null')
    op.drop_index('ix_twin_consents_user_id_id', table_name='twin_consents')
    op.drop_table('twin_consents')
    op.drop_table('twins')
