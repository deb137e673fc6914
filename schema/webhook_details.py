"""GraphQL: how a webhook signs, how it is going, and what it can be told of."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry import Info

from resolvers import deliveries, events, webhooks
from schema.fields import context_of
from schema.scalars import JSON


@strawberry.type(description="One generation of a webhook's keys.")
class WebhookSecret:
    """Resolves from `db.bodies.webhooks.WebhookSecretBody`."""

    id: strawberry.ID
    hint: str = strawberry.field(description="The last characters of the secret.")
    public_key: str
    created_at: datetime
    expires_at: datetime | None = strawberry.field(description="Until when it signs; null: it is the newest.")


@strawberry.type(description="Milliseconds from an event's commit to its first attempt, over the last 24 hours.")
class WebhookLatency:
    """Resolves from `db.bodies.webhooks.LatencyBody`."""

    p50: int | None
    p95: int | None
    p99: int | None


@strawberry.type(description="What the platform did to a webhook, or warned of.")
class WebhookNotice:
    """Resolves from `db.bodies.webhooks.NoticeBody`."""

    id: strawberry.ID
    kind: str
    message: str
    created_at: datetime


@strawberry.type(description="How deliveries to a webhook are going.")
class WebhookHealth:
    """Resolves from `db.bodies.webhooks.WebhookHealthBody`."""

    failing_since: datetime | None
    backlog: int = strawberry.field(description="Deliveries that are not through.")
    oldest_at: datetime | None = strawberry.field(description="Since when the oldest of them has been waiting.")
    attempts: JSON = strawberry.field(description="Those of the last 24 hours, by outcome.")
    first_attempt_ms: WebhookLatency
    notices: list[WebhookNotice] = strawberry.field(description="The newest ten.")


@strawberry.type(description="A kind of event that webhooks can be told of.")
class WebhookEventType:
    """Resolves from `db.bodies.webhooks.EventTypeBody`."""

    name: str
    group: str
    version: str
    description: str
    schema: JSON = strawberry.field(
        resolver=lambda root: root.event_schema, description="JSON Schema of a whole event."
    )
    example: JSON


async def _secret(info: Info, id: strawberry.ID):  # type: ignore[no-untyped-def]  # noqa: A002, ANN202
    return (await webhooks.recent_secret(context_of(info), id=id)).secret


async def _secrets(info: Info, id: strawberry.ID):  # type: ignore[no-untyped-def]  # noqa: A002, ANN202
    return await webhooks.secrets_of(context_of(info), id=id)


async def _health(info: Info, id: strawberry.ID):  # type: ignore[no-untyped-def]  # noqa: A002, ANN202
    return await deliveries.health(context_of(info), webhook_id=id)


def _event_types():  # type: ignore[no-untyped-def]  # noqa: ANN202
    return events.event_types()


def recent_secret() -> Any:
    """The field `Query.webhookSecret`."""
    told = "The newest signing secret of a webhook, to its owner. The audit log tells that it was shown."
    return strawberry.field(resolver=_secret, description=told)


def live_secrets() -> Any:
    """The field `Query.webhookSecrets`."""
    return strawberry.field(resolver=_secrets, description="The keys of a webhook that sign now, newest first.")


def health() -> Any:
    """The field `Query.webhookHealth`."""
    return strawberry.field(resolver=_health, description="How deliveries to a webhook are going.")


def event_types() -> Any:
    """The field `Query.webhookEventTypes`."""
    return strawberry.field(
        resolver=_event_types, description="Every type of event, with its JSON Schema and an example."
    )
