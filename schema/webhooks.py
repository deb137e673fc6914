"""GraphQL: webhooks and their deliveries."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

import strawberry
from strawberry import UNSET, Info

from db import tables
from db.relations import DELIVERY_ATTEMPTS, WEBHOOK, WEBHOOK_DELIVERIES
from resolvers import deliveries, webhooks
from resolvers.context import Context
from resolvers.deliveries import RecoverInput, ReplayInput, TestInput
from resolvers.webhooks import RotationInput, WebhookChanges, WebhookInput
from resolvers.writes import Written
from schema.fields import connection, context_of
from schema.mutations import UserError, as_input, run
from schema.node import Node, shows
from schema.paging import Connection
from schema.scalars import JSON

P = TypeVar("P")


@strawberry.enum(name="WebhookStatus", description="PAUSED keeps what comes; DISABLED was done by the platform.")
class WebhookStatus(Enum):
    """Kept in lower case, shown in upper case."""

    ENABLED = "enabled"
    PAUSED = "paused"
    DISABLED = "disabled"


@strawberry.enum(
    name="DeliveryStatus",
    description="WAITING: due later. LEASED: being sent. QUEUED: its webhook is busy, failing or paused. BLOCKED: an "
    "earlier event of its resource is not through.",
)
class DeliveryStatus(Enum):
    """Kept in lower case, shown in upper case."""

    WAITING = "waiting"
    LEASED = "leased"
    QUEUED = "queued"
    BLOCKED = "blocked"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


async def _response_body(root: tables.DeliveryAttempt) -> str:
    return root.response_body.decode(errors="replace")


async def _public_keys(root: tables.WebhookEndpoint, info: Info) -> list[str]:
    return await webhooks.public_keys(context_of(info), root)


@strawberry.type(description="One try at a delivery.")
class DeliveryAttempt:
    """Resolves from a row of `delivery_attempts`."""

    number: int
    url: str
    started_at: datetime
    duration_ms: int
    outcome: str
    status: int | None = strawberry.field(description="The HTTP status, where there was an answer.")
    error: str | None
    request_headers: JSON
    response_headers: JSON
    response_body: str = strawberry.field(resolver=_response_body, description="Cut at 16 kB.")


@strawberry.type(description="One event on its way to one webhook.")
class Delivery:
    """Resolves from a row of `deliveries`."""

    is_type_of = shows(tables.Delivery)
    id: strawberry.ID
    event_id: strawberry.ID
    type: str
    resource_id: strawberry.ID
    resource_sequence: int
    cause: str = strawberry.field(description="`event`, `replay` or `test`.")
    status: DeliveryStatus
    attempts_made: int = strawberry.field(resolver=lambda root: root.attempts)
    last_status: int | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None
    attempts: Connection[DeliveryAttempt] = connection(DELIVERY_ATTEMPTS)


@strawberry.input(description="Which deliveries.")
class DeliveryFilter:
    """What is left out does not narrow the list."""

    status: DeliveryStatus | None = UNSET
    type: str | None = UNSET
    since: datetime | None = UNSET


@strawberry.enum(description="In which order.")
class DeliverySort(Enum):
    """Names of `db.relations`."""

    CREATED_AT_ASC = "CREATED_AT_ASC"
    CREATED_AT_DESC = "CREATED_AT_DESC"


@strawberry.type(description="An address that events are posted to.")
class Webhook(Node):
    """Resolves from a row of `webhook_endpoints`."""

    is_type_of = shows(tables.WebhookEndpoint)
    url: str
    events: list[str]
    description: str
    status: WebhookStatus
    status_reason: str | None
    storefront_ids: list[strawberry.ID]
    ordered: bool = strawberry.field(description="Whether the events of one resource arrive in their order.")
    concurrency: int
    rate_limit: int | None = strawberry.field(description="Deliveries a second at most.")
    public_keys: list[str] = strawberry.field(resolver=_public_keys, description="Ed25519 keys that sign now.")
    failing_since: datetime | None
    deliveries: Connection[Delivery] = connection(
        WEBHOOK_DELIVERIES, filter_type=DeliveryFilter, sort_type=DeliverySort
    )
    created_at: datetime
    updated_at: datetime


@strawberry.input(description="A new webhook.")
class WebhookCreateInput:
    """Without `storefrontIds` it is told of events of every storefront."""

    url: str
    events: list[str]
    description: str | None = UNSET
    storefront_ids: list[strawberry.ID] | None = UNSET
    ordered: bool | None = UNSET
    concurrency: int | None = UNSET
    rate_limit: int | None = UNSET


@strawberry.input(description="What to change of a webhook; what is left out stays.")
class WebhookUpdateInput:
    """`id` says which."""

    id: strawberry.ID
    url: str | None = UNSET
    events: list[str] | None = UNSET
    description: str | None = UNSET
    status: WebhookStatus | None = UNSET
    storefront_ids: list[strawberry.ID] | None = UNSET
    ordered: bool | None = UNSET
    concurrency: int | None = UNSET
    rate_limit: int | None = UNSET


@strawberry.input(description="Which webhook.")
class WebhookDeleteInput:
    """Its id."""

    id: strawberry.ID


@strawberry.input(description="When the older secrets stop signing: in a day, unless said otherwise.")
class WebhookSecretRotateInput:
    """`id` says whose."""

    id: strawberry.ID
    expire_old_after_seconds: int | None = UNSET


@strawberry.input(description="Of which type; the first that it is subscribed to, where it is left out.")
class WebhookTestInput:
    """`id` says to which."""

    id: strawberry.ID
    event_type: str | None = UNSET


@strawberry.input(description="Which delivery to send again.")
class WebhookDeliveryResendInput:
    """Both ids."""

    id: strawberry.ID
    delivery_id: strawberry.ID


@strawberry.input(description="Since when what failed is sent again.")
class WebhookRecoverInput:
    """`id` says to which."""

    id: strawberry.ID
    since: datetime


@strawberry.input(description="Which range of the log is sent, whatever the webhook has had of it.")
class WebhookReplayInput:
    """`id` says to which."""

    id: strawberry.ID
    since: datetime
    until: datetime | None = UNSET
    event_types: list[str] | None = UNSET


@strawberry.type(description="The webhook as it stands after the write, or what was wrong.")
class WebhookPayload:
    """`webhook` is null where there are user errors."""

    webhook: Webhook | None
    user_errors: list[UserError]


@strawberry.type(description="The webhook and its new secret.")
class WebhookSecretPayload:
    """Both are null where there are user errors."""

    webhook: Webhook | None
    secret: str | None
    user_errors: list[UserError]


@strawberry.type(description="The id of the webhook that is no more.")
class WebhookDeletePayload:
    """Null where there are user errors."""

    deleted_id: strawberry.ID | None
    user_errors: list[UserError]


@strawberry.type(description="The delivery that was set going.")
class WebhookDeliveryPayload:
    """Null where there are user errors."""

    delivery_id: strawberry.ID | None
    user_errors: list[UserError]


@strawberry.type(description="How many deliveries were set going.")
class WebhookCountPayload:
    """Null where there are user errors."""

    count: int | None
    user_errors: list[UserError]


@strawberry.type
class WebhookMutations:
    """Mirrors REST's writes."""

    @strawberry.mutation(description="Register an address that is told of events.")
    async def webhook_create(self, info: Info, input: WebhookCreateInput) -> WebhookSecretPayload:  # noqa: A002
        """`POST /v1/webhooks`."""

        async def act(ctx: Context) -> Written:
            return await webhooks.create_webhook(ctx, given=as_input(WebhookInput, input))

        return await run(info, WebhookSecretPayload, "webhook", WEBHOOK, act, secret=lambda made: made.body["secret"])

    @strawberry.mutation(description="Change, pause or enable a webhook.")
    async def webhook_update(self, info: Info, input: WebhookUpdateInput) -> WebhookPayload:  # noqa: A002
        """`PATCH /v1/webhooks/{id}`."""

        async def act(ctx: Context) -> Written:
            given = as_input(WebhookChanges, input, without=("id",))
            return await webhooks.update_webhook(ctx, id=input.id, given=given)

        return await run(info, WebhookPayload, "webhook", WEBHOOK, act)

    @strawberry.mutation(description="Remove a webhook; what is on its way to it ends.")
    async def webhook_delete(self, info: Info, input: WebhookDeleteInput) -> WebhookDeletePayload:  # noqa: A002
        """`DELETE /v1/webhooks/{id}`."""

        async def act(ctx: Context) -> Written:
            return await webhooks.delete_webhook(ctx, id=input.id)

        return await _only(info, WebhookDeletePayload, "deleted_id", "id", act)

    @strawberry.mutation(description="A new secret signs; older ones sign along for a while.")
    async def webhook_secret_rotate(
        self, info: Info, input: WebhookSecretRotateInput  # noqa: A002
    ) -> WebhookSecretPayload:  # fmt: skip
        """`POST /v1/webhooks/{id}/secrets`."""

        async def act(ctx: Context) -> Written:
            given = as_input(RotationInput, input, without=("id",))
            made = await webhooks.rotate_secret(ctx, id=input.id, given=given)
            return Written(made.body | {"id": input.id}, made.created, made.replayed)

        return await run(info, WebhookSecretPayload, "webhook", WEBHOOK, act, secret=lambda made: made.body["secret"])

    @strawberry.mutation(description="Send an example event to a webhook.")
    async def webhook_test(self, info: Info, input: WebhookTestInput) -> WebhookDeliveryPayload:  # noqa: A002
        """`POST /v1/webhooks/{id}/test`."""

        async def act(ctx: Context) -> Written:
            given = as_input(TestInput, input, without=("id",))
            return await deliveries.test_webhook(ctx, webhook_id=input.id, given=given)

        return await _only(info, WebhookDeliveryPayload, "delivery_id", "id", act)

    @strawberry.mutation(description="Send one delivery again.")
    async def webhook_delivery_resend(
        self, info: Info, input: WebhookDeliveryResendInput  # noqa: A002
    ) -> WebhookDeliveryPayload:  # fmt: skip
        """`POST /v1/webhooks/{id}/deliveries/{delivery_id}/resend`."""

        async def act(ctx: Context) -> Written:
            return await deliveries.resend_delivery(ctx, webhook_id=input.id, id=input.delivery_id)

        return await _only(info, WebhookDeliveryPayload, "delivery_id", "id", act)

    @strawberry.mutation(description="Send again all that failed since a time.")
    async def webhook_recover(self, info: Info, input: WebhookRecoverInput) -> WebhookCountPayload:  # noqa: A002
        """`POST /v1/webhooks/{id}/recover`."""

        async def act(ctx: Context) -> Written:
            given = as_input(RecoverInput, input, without=("id",))
            return await deliveries.recover_deliveries(ctx, webhook_id=input.id, given=given)

        return await _only(info, WebhookCountPayload, "count", "count", act)

    @strawberry.mutation(description="Send a range of the log to a webhook.")
    async def webhook_replay(self, info: Info, input: WebhookReplayInput) -> WebhookCountPayload:  # noqa: A002
        """`POST /v1/webhooks/{id}/replay`."""

        async def act(ctx: Context) -> Written:
            given = as_input(ReplayInput, input, without=("id",))
            return await deliveries.replay_events(ctx, webhook_id=input.id, given=given)

        return await _only(info, WebhookCountPayload, "count", "count", act)


async def _only(
    info: Info, payload: Callable[..., P], name: str, field: str, act: Callable[[Context], Awaitable[Written]]
) -> P:
    """Answers with one field of what was written."""

    async def narrowed(ctx: Context) -> Written:
        written = await act(ctx)
        found: Any = written.body[field]
        return Written(found, written.created, written.replayed)

    return await run(info, payload, name, None, narrowed)
