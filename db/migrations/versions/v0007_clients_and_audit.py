"""clients of an environment; the audit log in chains, of creators and the platform too

Revision: v0007_clients_and_audit, after v0006_tryon_approvals
"""

import sqlalchemy as sa
from alembic import op

revision = 'v0007_clients_and_audit'
down_revision = 'v0006_tryon_approvals'
branch_labels = None
depends_on = None

_KINDS = "kind in ('token', 'family', 'client', 'key', 'keys'{more})"


def upgrade() -> None:
    op.drop_constraint('fk_audit_entries_organization_id', 'audit_entries')
    op.alter_column('audit_entries', 'organization_id', new_column_name='chain')
    op.execute('alter index uq_audit_entries_organization_id_number rename to uq_audit_entries_chain_number')
    op.add_column('clients', sa.Column('environment', sa.Text(), nullable=True))
    # A secret's hint says of which environment it is.
    op.execute(
        "update clients c set environment = case when exists (select 1 from client_secrets s where s.client_id = c.id "
        "and s.hint like 'fss\\_live%') then 'production' else 'sandbox' end"
    )
    op.alter_column('clients', 'environment', nullable=False)
    op.create_check_constraint(op.f('ck_clients_environment'), 'clients', "environment in ('sandbox', 'production')")
    op.create_index('ix_clients_organization_id', 'clients', ['organization_id', 'id'])
    op.drop_constraint(op.f('ck_revocations_kind'), 'revocations')
    op.create_check_constraint(op.f('ck_revocations_kind'), 'revocations', _KINDS.format(more=", 'changed'"))


def downgrade() -> None:
    op.execute("delete from revocations where kind = 'changed'")
    op.drop_constraint(op.f('ck_revocations_kind'), 'revocations')
    op.create_check_constraint(op.f('ck_revocations_kind'), 'revocations', _KINDS.format(more=''))
    op.drop_index('ix_clients_organization_id', 'clients')
    op.drop_column('clients', 'environment')
    op.execute("delete from audit_entries where chain not in (select id from organizations)")
    op.execute('alter index uq_audit_entries_chain_number rename to uq_audit_entries_organization_id_number')
    op.alter_column('audit_entries', 'chain', new_column_name='organization_id')
    op.create_foreign_key(
        'fk_audit_entries_organization_id', 'audit_entries', 'organizations', ['organization_id'], ['id'],
        ondelete='CASCADE'
    )
