"""Try-on sessions: a shopper's short-lived leave to try one product, and what partners may use them for."""

from sqlalchemy import CheckConstraint, Column, Index, Text
from sqlmodel import Field

from db.tables.base import Table, datetime, id_field, moment, one_of, optional_text, ref, text


class TryonSession(Table, table=True):
    """Asked for by a partner's backend; its token opens the shopper's page until `expires_at`."""

    __tablename__ = "tryon_sessions"
    __table_args__ = (
        one_of("status", "created", "opened", "completed"),
        Index("ix_tryon_sessions_owner_id_id", "owner_id", "id"),
        Index("ix_tryon_sessions_product_id", "product_id"),
    )
    id: str = id_field("tos")
    owner_id: str = ref("users.id")
    client_id: str = ref("clients.id")
    product_id: str = ref("products.id")
    variant_id: str | None = ref("variants.id", nullable=True)
    use_case: str = text()
    origin: str = text()
    subject: str | None = optional_text()
    status: str = text("created")
    consent_at: datetime = moment()
    created_at: datetime = moment()
    expires_at: datetime = moment()


class TryonApproval(Table, table=True):
    """The operator lets an organisation use try-on for one more purpose than everyone may."""

    __tablename__ = "tryon_approvals"
    __table_args__ = (CheckConstraint("use_case ~ '^[a-z][a-z0-9_]{0,63}$'", name="use_case"),)
    organization_id: str = ref("organizations.id", primary_key=True)
    use_case: str = Field(sa_column=Column(Text, primary_key=True))
    created_at: datetime = moment()
