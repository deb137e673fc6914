"""GraphQL: the log of events, a preview."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Final

import strawberry
from strawberry import ID, Info

from db.model import Entity
from db.relations import AFFILIATE_LINK, ASSET, ENTRY_EVENT, ORDER, PRODUCT, TRYON_SESSION, WEBHOOK
from db.tables import Event as EventRow
from db.tables import FeedEntry
from resolvers import reads
from schema.affiliates import AffiliateLink
from schema.assets import Asset
from schema.fields import computed, context_of
from schema.orders import Order
from schema.products import Product
from schema.scalars import JSON
from schema.stages import stage
from schema.tryon import TryonSession
from schema.webhooks import Webhook

EVENTS_PREVIEW: Final = stage(
    "events", owner="Webhooks", until=date(2027, 2, 26),
    about="Everything that happened to what is yours, in order; go on from any cursor.",
)  # fmt: skip


@strawberry.enum(description="What happened.", directives=[EVENTS_PREVIEW])
class EventType(Enum):
    """Names of `webhooks.events`."""

    ORDER_CREATED = "order.created"
    ORDER_FULFILLED = "order.fulfilled"
    PRODUCT_UPDATED = "product.updated"
    DESIGN_PUBLISHED = "design.published"
    AFFILIATE_CLICK = "affiliate.click"
    AFFILIATE_CONVERSION = "affiliate.conversion"
    TRYON_SESSION_CREATED = "tryon.session.created"
    WEBHOOK_FAILING = "webhook.failing"
    WEBHOOK_DISABLED = "webhook.disabled"


def _now(entity: Entity[Any], scope: str) -> Any:
    """The resource as it stands now, where you may still see it."""

    async def resolve(root: Any, info: Info):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the class says the type
        context_of(info).require(scope)
        return await context_of(info).loaders.row(entity, root.resource_id)

    return strawberry.field(resolver=resolve, description="As it stands now; null where you no longer see it.")


@strawberry.interface(description="What an event tells.", directives=[EVENTS_PREVIEW])
class EventData:
    """Made from a row of `events`."""

    resource_id: strawberry.Private[str]
    snapshot: JSON = strawberry.field(description="As REST showed it at that moment; see `GET /v1/events/types`.")


@strawberry.type(description="An order was placed in a storefront; its stock is reserved.")
class OrderCreatedEvent(EventData):
    """`order.created`."""

    order: Order | None = _now(ORDER, "orders:read")


@strawberry.type(description="An order was fulfilled; its stock has left.")
class OrderFulfilledEvent(EventData):
    """`order.fulfilled`."""

    order: Order | None = _now(ORDER, "orders:read")


@strawberry.type(description="A listing was created, or something of it changed.")
class ProductUpdatedEvent(EventData):
    """`product.updated`."""

    product: Product | None = _now(PRODUCT, "storefronts:read")


@strawberry.type(description="An approved asset was published.")
class DesignPublishedEvent(EventData):
    """`design.published`."""

    asset: Asset | None = _now(ASSET, "assets:read")


@strawberry.type(description="A visitor followed a link; counted once an hour.")
class AffiliateClickEvent(EventData):
    """`affiliate.click`."""

    link: AffiliateLink | None = _now(AFFILIATE_LINK, "affiliates:read")


@strawberry.type(description="A sale was counted for an affiliate link.")
class AffiliateConversionEvent(EventData):
    """`affiliate.conversion`."""

    link: AffiliateLink | None = _now(AFFILIATE_LINK, "affiliates:read")


@strawberry.type(description="A try-on session was opened for a shopper.")
class TryonSessionCreatedEvent(EventData):
    """`tryon.session.created`."""

    session: TryonSession | None = _now(TRYON_SESSION, "tryon:write")


@strawberry.type(description="A webhook keeps failing and is about to be disabled.")
class WebhookFailingEvent(EventData):
    """`webhook.failing`."""

    webhook: Webhook | None = _now(WEBHOOK, "webhooks:manage")


@strawberry.type(description="A webhook was disabled: it failed for days or answered 410.")
class WebhookDisabledEvent(EventData):
    """`webhook.disabled`."""

    webhook: Webhook | None = _now(WEBHOOK, "webhooks:manage")


EventPayload = Annotated[
    OrderCreatedEvent
    | OrderFulfilledEvent
    | ProductUpdatedEvent
    | DesignPublishedEvent
    | AffiliateClickEvent
    | AffiliateConversionEvent
    | TryonSessionCreatedEvent
    | WebhookFailingEvent
    | WebhookDisabledEvent,
    strawberry.union("EventPayload", description="What happened, by type.", directives=[EVENTS_PREVIEW]),
]
# The class of each type's payload, and the scope that reads its noun.
PAYLOADS: Final[dict[str, tuple[type[EventData], str]]] = {
    "order.created": (OrderCreatedEvent, "orders:read"),
    "order.fulfilled": (OrderFulfilledEvent, "orders:read"),
    "product.updated": (ProductUpdatedEvent, "storefronts:read"),
    "design.published": (DesignPublishedEvent, "assets:read"),
    "affiliate.click": (AffiliateClickEvent, "affiliates:read"),
    "affiliate.conversion": (AffiliateConversionEvent, "affiliates:read"),
    "tryon.session.created": (TryonSessionCreatedEvent, "tryon:write"),
    "webhook.failing": (WebhookFailingEvent, "webhooks:manage"),
    "webhook.disabled": (WebhookDisabledEvent, "webhooks:manage"),
}


async def _event(root: FeedEntry, info: Info) -> EventRow:
    found: EventRow | None = await reads.one(context_of(info), ENTRY_EVENT, root)
    assert found is not None  # noqa: S101 - an entry and its event are dropped on the same day
    return found


async def _payload(root: FeedEntry, info: Info):  # type: ignore[no-untyped-def]  # noqa: ANN202
    scope: str
    made: Any
    made, scope = PAYLOADS[root.type]
    context_of(info).require(scope)
    event = await _event(root, info)
    return made(resource_id=event.resource_id, snapshot=event.payload)


def _of_event(column: str, **told: Any) -> Any:
    """A column of the event behind the entry."""

    async def resolve(root: Any, info: Info):  # type: ignore[no-untyped-def]  # noqa: ANN202
        return getattr(await _event(root, info), column)

    return computed(resolve, f"(select e.{column} from events e where e.id = {{t}}.event_id)", **told)


def _id(root: Any):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return root.event_id


@strawberry.type(description="One fact, as it was told to webhooks too.", directives=[EVENTS_PREVIEW])
class Event:
    """Resolves from a row of `event_feed`."""

    id: ID = computed(_id, "{t}.event_id")
    type: EventType
    occurred_at: datetime = _of_event("occurred_at")
    resource_id: ID = _of_event("resource_id", description="What it happened to.")
    sequence: int = _of_event("resource_sequence", description="1, 2, 3, … for each resource, without a gap.")
    payload: EventPayload | None = strawberry.field(
        resolver=_payload, description="Needs the scope that reads its noun, such as `orders:read`."
    )
