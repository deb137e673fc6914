"""Try-on sessions: a shopper's short-lived leave to try one product."""

from sqlalchemy import Index

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
