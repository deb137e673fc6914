"""Where events are sent, and what signs them."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, LargeBinary
from sqlalchemy import text as sql
from sqlmodel import Field

from db.tables.base import Table, datetime, id_field, moment, one_of, optional_text, ref, strings, text


class WebhookEndpoint(Table, table=True):
    """An address of a partner's that events are posted to. Empty `storefront_ids`: events of every storefront.

    `failing_since` is when its present run of failures began; `concurrency` and `rate_limit` (a second) bound what is
    sent to it at once. Events of earlier transactions than `transaction`, which made it, are not its business.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        one_of("status", "enabled", "paused", "disabled"),
        CheckConstraint("concurrency between 1 and 100", name="concurrency"),
        CheckConstraint("rate_limit between 1 and 10000", name="rate_limit"),
        Index("ix_webhook_endpoints_owner_id_id", "owner_id", "id"),
    )
    id: str = id_field("whk")
    owner_id: str = ref("users.id")
    client_id: str = ref("clients.id")
    url: str = text()
    events: list[str] = strings()
    storefront_ids: list[str] = strings()
    description: str = text("")
    status: str = text("enabled")
    status_reason: str | None = optional_text()
    ordered: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default="false"))
    concurrency: int = Field(default=10, sa_column=Column(Integer, nullable=False, server_default="10"))
    rate_limit: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    failing_since: datetime | None = moment(nullable=True)
    last_success_at: datetime | None = moment(nullable=True)
    last_failure_at: datetime | None = moment(nullable=True)
    notices_sent: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    transaction: int = Field(
        default=None,
        sa_column=Column(BigInteger, nullable=False, server_default=sql("((pg_current_xact_id())::text)::bigint")),
    )
    created_at: datetime = moment()
    updated_at: datetime = moment()


class WebhookSecret(Table, table=True):
    """One generation of an endpoint's keys, sealed: the shared secret (HMAC) and the seed of an Ed25519 pair.

    Every generation that has not expired signs each delivery, so that a receiver can change over in its own time.
    """

    __tablename__ = "webhook_secrets"
    __table_args__ = (Index("ix_webhook_secrets_endpoint_id", "endpoint_id"),)
    id: str = id_field("key")
    endpoint_id: str = ref("webhook_endpoints.id")
    secret_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    seed_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    public_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = moment()
    expires_at: datetime | None = moment(nullable=True)


class WebhookNotice(Table, table=True):
    """What the platform did to an endpoint, or warned of: kept for its owner and for the audit."""

    __tablename__ = "webhook_notices"
    __table_args__ = (
        one_of("kind", "failing", "disabled", "enabled", "paused", "resumed", "secret_rotated"),
        Index("ix_webhook_notices_endpoint_id_id", "endpoint_id", "id"),
    )
    id: str = id_field("ntc")
    endpoint_id: str = text()
    owner_id: str = ref("users.id")
    kind: str = text()
    message: str = text()
    created_at: datetime = moment()
