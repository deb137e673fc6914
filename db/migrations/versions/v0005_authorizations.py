"""consents, codes and refresh tokens; how clients prove who they are; members, applications, the audit log

Revision: v0005_authorizations, after v0004_webhooks
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = 'v0005_authorizations'
down_revision = 'v0004_webhooks'
branch_labels = None
depends_on = None

ID_PREFIXES = {'consents': 'cns', 'authorizations': 'aut', 'applications': 'app', 'audit_entries': 'aud'}


def upgrade() -> None:
    op.create_table('used_assertions',
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.PrimaryKeyConstraint('hash', name=op.f('pk_used_assertions'))
    )
    op.create_index('ix_used_assertions_expires_at', 'used_assertions', ['expires_at'], unique=False)
    op.create_table('applications',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('organization_name', sa.Text(), nullable=False),
    sa.Column('contact_email', sa.Text(), nullable=False),
    sa.Column('use_case', sa.Text(), nullable=False),
    sa.Column('expected_volume', sa.Text(), nullable=False),
    sa.Column('timeline', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('organization_id', sa.Text(), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('decided_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    sa.CheckConstraint("status in ('pending', 'approved', 'rejected')", name=op.f('ck_applications_status')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_applications_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_applications'))
    )
    op.create_index('ix_applications_status_id', 'applications', ['status', 'id'], unique=False)
    op.create_table('audit_entries',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('organization_id', sa.Text(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('details', postgresql.JSON(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('previous_hash', sa.LargeBinary(), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_audit_entries_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entries'))
    )
    op.create_index('uq_audit_entries_organization_id_number', 'audit_entries', ['organization_id', 'number'], unique=True)
    op.create_table('consents',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('client_id', sa.Text(), nullable=False),
    sa.Column('scopes', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('storefront_ids', postgresql.ARRAY(sa.Text()), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('revoked_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    sa.ForeignKeyConstraint(['client_id'], ['clients.id'], name=op.f('fk_consents_client_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_consents_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consents'))
    )
    op.create_index('ix_consents_user_id_id', 'consents', ['user_id', 'id'], unique=False)
    op.create_index('uq_consents_user_id_client_id', 'consents', ['user_id', 'client_id'], unique=True, postgresql_where='revoked_at is null')
    op.create_table('members',
    sa.Column('organization_id', sa.Text(), nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.CheckConstraint("role in ('owner', 'developer', 'viewer')", name=op.f('ck_members_role')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_members_organization_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_members_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'user_id', name=op.f('pk_members'))
    )
    op.create_index('ix_members_user_id', 'members', ['user_id'], unique=False)
    op.create_table('pushed_requests',
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('client_id', sa.Text(), nullable=False),
    sa.Column('parameters', postgresql.JSON(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.ForeignKeyConstraint(['client_id'], ['clients.id'], name=op.f('fk_pushed_requests_client_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('hash', name=op.f('pk_pushed_requests'))
    )
    op.create_table('sign_ins',
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_sign_ins_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('hash', name=op.f('pk_sign_ins'))
    )
    op.create_index('ix_sign_ins_user_id', 'sign_ins', ['user_id'], unique=False)
    op.create_table('authorizations',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('consent_id', sa.Text(), nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('client_id', sa.Text(), nullable=False),
    sa.Column('scopes', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('storefront_ids', postgresql.ARRAY(sa.Text()), nullable=True),
    sa.Column('redirect_uri', sa.Text(), nullable=False),
    sa.Column('code_hash', sa.LargeBinary(), nullable=False),
    sa.Column('code_challenge', sa.Text(), nullable=False),
    sa.Column('thumbprint', sa.Text(), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('code_expires_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('code_used_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    sa.Column('revoked_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    sa.ForeignKeyConstraint(['client_id'], ['clients.id'], name=op.f('fk_authorizations_client_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['consent_id'], ['consents.id'], name=op.f('fk_authorizations_consent_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_authorizations_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_authorizations')),
    sa.UniqueConstraint('code_hash', name=op.f('uq_authorizations_code_hash'))
    )
    op.create_index('ix_authorizations_client_id', 'authorizations', ['client_id'], unique=False)
    op.create_index('ix_authorizations_consent_id', 'authorizations', ['consent_id'], unique=False)
    op.create_table('refresh_tokens',
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('authorization_id', sa.Text(), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
    sa.Column('replaced_at', postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    sa.ForeignKeyConstraint(['authorization_id'], ['authorizations.id'], name=op.f('fk_refresh_tokens_authorization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('hash', name=op.f('pk_refresh_tokens'))
    )
    op.create_index('uq_refresh_tokens_generation', 'refresh_tokens', ['authorization_id', 'generation'], unique=True)
    op.add_column('api_keys', sa.Column('allowed_addresses', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False))
    op.add_column('clients', sa.Column('auth_method', sa.Text(), server_default='secret', nullable=False))
    op.add_column('clients', sa.Column('jwks', postgresql.JSON(astext_type=sa.Text()), server_default='{"keys": []}', nullable=False))
    op.add_column('clients', sa.Column('dpop_bound', sa.Boolean(), server_default='false', nullable=False))
    op.add_column('clients', sa.Column('allowed_addresses', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False))
    op.add_column('clients', sa.Column('registration_hash', sa.LargeBinary(), nullable=True))
    op.create_unique_constraint(op.f('uq_clients_registration_hash'), 'clients', ['registration_hash'])
    op.create_check_constraint(op.f('ck_clients_auth_method'), 'clients', "auth_method in ('secret', 'private_key_jwt', 'none')")
    for table, prefix in ID_PREFIXES.items():
        op.create_check_constraint(op.f(f'ck_{table}_id'), table, f"id ~ '^{prefix}_[0-7][0-9A-HJKMNP-TV-Z]{{25}}$'")


def downgrade() -> None:
    op.drop_constraint(op.f('uq_clients_registration_hash'), 'clients', type_='unique')
    op.drop_column('clients', 'registration_hash')
    op.drop_column('clients', 'allowed_addresses')
    op.drop_column('clients', 'dpop_bound')
    op.drop_column('clients', 'jwks')
    op.drop_column('clients', 'auth_method')
    op.drop_column('api_keys', 'allowed_addresses')
    op.drop_index('uq_refresh_tokens_generation', table_name='refresh_tokens')
    op.drop_table('refresh_tokens')
    op.drop_index('ix_authorizations_consent_id', table_name='authorizations')
    op.drop_index('ix_authorizations_client_id', table_name='authorizations')
    op.drop_table('authorizations')
    op.drop_index('ix_sign_ins_user_id', table_name='sign_ins')
    op.drop_table('sign_ins')
    op.drop_table('pushed_requests')
    op.drop_index('ix_members_user_id', table_name='members')
    op.drop_table('members')
    op.drop_index('uq_consents_user_id_client_id', table_name='consents', postgresql_where='revoked_at is null')
    op.drop_index('ix_consents_user_id_id', table_name='consents')
    op.drop_table('consents')
    op.drop_index('uq_audit_entries_organization_id_number', table_name='audit_entries')
    op.drop_table('audit_entries')
    op.drop_index('ix_applications_status_id', table_name='applications')
    op.drop_table('applications')
    op.drop_index('ix_used_assertions_expires_at', table_name='used_assertions')
    op.drop_table('used_assertions')
