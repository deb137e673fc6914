"""Webhook endpoints, their deliveries and the events they carry, as told to the outside."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from db.bodies.base import Body, Id, Moment, word
from db.tables import Delivery, DeliveryAttempt, WebhookEndpoint, WebhookNotice, WebhookSecret

Status = Annotated[str, word("enabled", "paused", "disabled")]
DeliveryStatus = Annotated[
    str, word("waiting", "leased", "queued", "blocked", "delivered", "failed", "cancelled")
]  # fmt: skip
Outcome = Annotated[str, word("delivered", "refused", "timeout", "unreachable", "blocked_address", "gone")]
PublicKey = Annotated[str, Field(examples=["whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="])]
_SHOWN_OF_SECRET = 4


class WebhookBody(Body):
    """An address that events are posted to. `public_keys`: the Ed25519 keys that sign now, newest first.

    Empty `storefront_ids`: events of every storefront. `ordered`: the events of one resource arrive in their order.
    """

    id: str = Id("whk")
    url: str = Field(examples=["https://example.com/hooks"])
    events: list[str] = Field(examples=[["order.created", "product.updated"]])
    description: str
    status: Status
    status_reason: str | None = Field(description="Why it is disabled.")
    storefront_ids: list[str]
    ordered: bool
    concurrency: int = Field(description="How many deliveries may be under way at once.")
    rate_limit: int | None = Field(description="How many deliveries a second at most; null: no limit.")
    public_keys: list[PublicKey]
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, row: WebhookEndpoint, public_keys: Sequence[str]) -> "WebhookBody":
        """From its row and its keys."""
        return cls.model_construct(
            id=row.id,
            url=row.url,
            events=row.events,
            description=row.description,
            status=row.status,
            status_reason=row.status_reason,
            storefront_ids=row.storefront_ids,
            ordered=row.ordered,
            concurrency=row.concurrency,
            rate_limit=row.rate_limit,
            public_keys=list(public_keys),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


class CreatedWebhookBody(WebhookBody):
    """A new endpoint, with its secret."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwVYwR9Jc0m2s="])


class WebhookSecretBody(Body):
    """One generation of keys. Of the secret only its last characters are told."""

    id: str = Id("key")
    hint: str = Field(examples=["…0m2s"])
    public_key: PublicKey
    created_at: Moment
    expires_at: Moment | None = Field(description="Until when it signs; null: it is the newest.")

    @classmethod
    def of(cls, row: WebhookSecret, secret: str, public_key: str) -> "WebhookSecretBody":
        """From its row, opened."""
        hint = f"…{secret[-_SHOWN_OF_SECRET:]}"
        return cls.model_construct(
            id=row.id, hint=hint, public_key=public_key, created_at=row.created_at, expires_at=row.expires_at
        )


class ShownSecretBody(WebhookSecretBody):
    """The newest generation, its secret in full."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwVYwR9Jc0m2s="])


class RotatedSecretBody(WebhookSecretBody):
    """A new generation, its secret in full; older ones sign along until `old_expire_at`."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwVYwR9Jc0m2s="])
    old_expire_at: Moment


class PublicJwkBody(Body):
    """An Ed25519 public key (RFC 8037)."""

    kty: Annotated[str, word("OKP")]
    crv: Annotated[str, word("Ed25519")]
    x: str = Field(description="The 32 bytes of the key, base64url.")
    kid: str = Field(description="The key's thumbprint (RFC 7638).")
    use: Annotated[str, word("sig")]
    alg: Annotated[str, word("EdDSA")]


class KeySetBody(Body):
    """The keys that sign now, newest first, as a JWK set (RFC 7517 section 5)."""

    keys: list[PublicJwkBody]


class ResourceBody(Body):
    """What an event is about. Its events are numbered 1, 2, 3, … without a gap."""

    id: str = Field(examples=["ord_01JD3T8Q5YB9N7K0V2M4XWZC6R"])
    sequence: int = Field(examples=[1])


class AttemptBody(Body):
    """One try. Headers are those sent and those answered; the answer's body is cut at 16 kB."""

    number: int
    url: str
    started_at: Moment
    duration_ms: int
    outcome: Outcome
    status: int | None = Field(description="The HTTP status, where there was an answer.")
    error: str | None
    request_headers: dict[str, str]
    response_headers: dict[str, str]
    response_body: str

    @classmethod
    def of(cls, row: DeliveryAttempt) -> "AttemptBody":
        """From its row."""
        return cls.model_construct(
            number=row.number,
            url=row.url,
            started_at=row.started_at,
            duration_ms=row.duration_ms,
            outcome=row.outcome,
            status=row.status,
            error=row.error,
            request_headers=row.request_headers,
            response_headers=row.response_headers,
            response_body=row.response_body.decode(errors="replace"),
        )


class DeliveryBody(Body):
    """One event on its way to one endpoint. `leased`: being sent; `queued`: its endpoint is busy, failing or paused;
    `blocked`: an earlier event of the same resource is not through."""

    id: str = Id("dlv")
    webhook_id: str = Id("whk")
    event_id: str = Id("evt")
    event_type: str
    resource: ResourceBody
    cause: Annotated[str, word("event", "replay", "test")]
    status: DeliveryStatus
    attempt_count: int
    next_attempt_at: Moment | None
    last_status: int | None
    last_error: str | None
    created_at: Moment
    finished_at: Moment | None
    attempts: list[AttemptBody]

    @classmethod
    def of(cls, row: Delivery, attempts: Sequence[DeliveryAttempt]) -> "DeliveryBody":
        """From its rows."""
        return cls.model_construct(
            id=row.id,
            webhook_id=row.endpoint_id,
            event_id=row.event_id,
            event_type=row.type,
            resource=ResourceBody.model_construct(id=row.resource_id, sequence=row.resource_sequence),
            cause=row.cause,
            status=row.status,
            attempt_count=row.attempts,
            next_attempt_at=row.due_at if row.status == "waiting" else None,
            last_status=row.last_status,
            last_error=row.last_error,
            created_at=row.created_at,
            finished_at=row.finished_at,
            attempts=[AttemptBody.of(attempt) for attempt in attempts],
        )


class CountBody(Body):
    """How many deliveries were set going."""

    count: int


class NoticeBody(Body):
    """What the platform did to an endpoint, or warned of."""

    id: str = Id("ntc")
    kind: Annotated[str, word("failing", "disabled", "enabled", "paused", "resumed", "secret_rotated")]
    message: str
    created_at: Moment

    @classmethod
    def of(cls, row: WebhookNotice) -> "NoticeBody":
        """From its row."""
        return cls.model_construct(id=row.id, kind=row.kind, message=row.message, created_at=row.created_at)


class LatencyBody(Body):
    """Milliseconds from an event's commit to its first attempt, over the last 24 hours."""

    p50: int | None
    p95: int | None
    p99: int | None


class WebhookHealthBody(Body):
    """How deliveries to an endpoint are going. `attempts` counts those of the last 24 hours by outcome."""

    status: Status
    failing_since: Moment | None
    backlog: int = Field(description="Deliveries that are not through.")
    oldest_at: Moment | None = Field(description="Since when the oldest of them has been waiting.")
    attempts: dict[str, int] = Field(examples=[{"delivered": 1204, "timeout": 3}])
    first_attempt_ms: LatencyBody
    notices: list[NoticeBody] = Field(description="The newest ten.")


class EventBody(Body):
    """A fact. The same, byte for byte, is posted to endpoints."""

    id: str = Id("evt")
    type: str = Field(examples=["order.created"])
    version: str = Field(examples=["1"])
    occurred_at: Moment
    resource: ResourceBody
    data: dict[str, Any] = Field(description="What REST answers for the noun; see `GET /v1/events/types`.")

    @classmethod
    def of(cls, row: Any) -> "EventBody":
        """From a row of the log."""
        return cls.model_construct(
            id=row["event_id"],
            type=row["type"],
            version=row["version"],
            occurred_at=row["occurred_at"],
            resource=ResourceBody.model_construct(id=row["resource_id"], sequence=row["resource_sequence"]),
            data=row["payload"],
        )


class EventTypeBody(Body):
    """A kind of event. `schema` (JSON Schema) and `example` are those of a whole event."""

    name: str
    group: str
    version: str
    description: str
    event_schema: dict[str, Any] = Field(alias="schema")
    example: dict[str, Any]
