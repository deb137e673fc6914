"""Where events are sent."""

from sqlalchemy import Index

from db.tables.base import Table, datetime, id_field, moment, one_of, ref, strings, text


class WebhookEndpoint(Table, table=True):
    """An address of a partner's that events are posted to, signed with its secret."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        one_of("status", "enabled", "paused", "disabled"),
        Index("ix_webhook_endpoints_owner_id_id", "owner_id", "id"),
    )
    id: str = id_field("whk")
    owner_id: str = ref("users.id")
    client_id: str = ref("clients.id")
    url: str = text()
    events: list[str] = strings()
    description: str = text("")
    status: str = text("enabled")
    secret: str = text()
    created_at: datetime = moment()
    updated_at: datetime = moment()
