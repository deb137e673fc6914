"""GraphQL: where reading starts."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry import ID, UNSET, Info

from db.ids import noun_of
from db.model import Entity
from db.relations import (
    AFFILIATE_LINK,
    AFFILIATE_LINKS,
    ASSET,
    ASSETS,
    CONVERSION,
    EVENTS,
    ORDER,
    ORDERS,
    PRODUCT,
    PRODUCTS,
    STOREFRONT,
    STOREFRONTS,
    TRYON_SESSION,
    USER,
    VARIANT,
    WEBHOOK,
    WEBHOOKS,
)
from execution.markers import PLAN, Lookup
from resolvers import users
from resolvers.context import Context
from resolvers.errors import Fault, Invalid
from schema.affiliate_report import AffiliateReport, affiliate_report
from schema.affiliates import AffiliateLink, AffiliateLinkFilter
from schema.assets import Asset, AssetFilter
from schema.events import EVENTS_PREVIEW, Event, EventType
from schema.fields import connection, context_of
from schema.node import Node
from schema.orders import Order, OrderFilter, OrderSort
from schema.paging import Connection
from schema.products import Product, ProductFilter, ProductSort
from schema.recommendations import Recommendation, recommended_products
from schema.storefronts import Storefront, StorefrontFilter, StorefrontSort
from schema.tryon import TryonSession
from schema.users import User
from schema.webhook_details import (
    WebhookEventType,
    WebhookHealth,
    WebhookSecret,
    event_types,
    health,
    live_secrets,
    recent_secret,
)
from schema.webhooks import Webhook

# What `node` finds, by the noun of an id's prefix: its rows, its type, and the scope that it asks for.
NODES: dict[str, tuple[Entity[Any], str, str | None]] = {
    "user": (USER, "User", None),
    "storefront": (STOREFRONT, "Storefront", "storefronts:read"),
    "product": (PRODUCT, "Product", "storefronts:read"),
    "variant": (VARIANT, "ProductVariant", "storefronts:read"),
    "affiliate_link": (AFFILIATE_LINK, "AffiliateLink", "affiliates:read"),
    "conversion": (CONVERSION, "AffiliateConversion", "affiliates:read"),
    "order": (ORDER, "Order", "orders:read"),
    "asset": (ASSET, "Asset", "assets:read"),
    "tryon_session": (TRYON_SESSION, "TryonSession", "tryon:write"),
    "webhook": (WEBHOOK, "Webhook", "webhooks:manage"),
}
MOST_NODES = 100


async def _node(ctx: Context, id: str) -> Any:  # noqa: A002 - the field's name
    """The row of any kind with this id, or None."""
    found = NODES.get(noun_of(id) or "")
    if found is None:
        return None
    entity, _, scope = found
    if scope is not None:
        ctx.require_read(scope)
    return await ctx.loaders.row(entity, id)


async def _me(info: Info):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the class says the type
    return await users.me(context_of(info))


async def _any_node(info: Info, id: ID):  # type: ignore[no-untyped-def]  # noqa: A002, ANN202
    return await _node(context_of(info), id)


async def _any_nodes(info: Info, ids: list[ID]):  # type: ignore[no-untyped-def]  # noqa: ANN202
    if len(ids) > MOST_NODES:
        raise Invalid(Fault("/ids", f"must not name more than {MOST_NODES} ids"))
    return [_node(context_of(info), id) for id in ids]  # noqa: A001


async def _storefront(info: Info, id: ID | None = UNSET, handle: str | None = UNSET):  # type: ignore[no-untyped-def]  # noqa: A002, ANN202
    ctx = context_of(info)
    ctx.require("storefronts:read")
    if bool(id) == bool(handle):
        raise Invalid(Fault("", "give exactly one of id and handle"))
    if id:
        return await ctx.loaders.row(STOREFRONT, id)
    return await ctx.loaders.row_by(STOREFRONT, "handle", handle or "")


async def _product(info: Info, id: ID):  # type: ignore[no-untyped-def]  # noqa: A002, ANN202
    ctx = context_of(info)
    ctx.require("storefronts:read")
    return await ctx.loaders.row(PRODUCT, id)


async def _order(info: Info, id: ID):  # type: ignore[no-untyped-def]  # noqa: A002, ANN202
    ctx = context_of(info)
    ctx.require("orders:read")
    return await ctx.loaders.row(ORDER, id)


async def _tryon_session(info: Info, id: ID):  # type: ignore[no-untyped-def]  # noqa: A002, ANN202
    ctx = context_of(info)
    ctx.require_read("tryon:write")
    return await ctx.loaders.row(TRYON_SESSION, id)


async def _webhook(info: Info, id: ID):  # type: ignore[no-untyped-def]  # noqa: A002, ANN202
    ctx = context_of(info)
    ctx.require_read("webhooks:manage")
    return await ctx.loaders.row(WEBHOOK, id)


def _lookup(resolve: Any, entity: Entity[Any], scope: str, *columns: str, **told: Any) -> Any:
    mark = Lookup({entity.name: entity}, {entity.name: scope}, columns=columns or ("id",))
    return strawberry.field(resolver=resolve, metadata={PLAN: mark}, **told)


def _node_lookup(resolve: Any, *, many: bool = False, **told: Any) -> Any:
    mark = Lookup(
        {noun: entity for noun, (entity, _, _) in NODES.items()},
        {noun: scope for noun, (_, _, scope) in NODES.items() if scope is not None},
        {noun: kind for noun, (_, kind, _) in NODES.items()},
        many=many, most=MOST_NODES,
    )  # fmt: skip
    return strawberry.field(resolver=resolve, metadata={PLAN: mark}, **told)


@strawberry.type
class Query:
    """Where reading starts."""

    me: User = strawberry.field(
        resolver=_me, description="The user that the token acts as.",
        metadata={PLAN: Lookup({"user": USER}, {"user": "profile:read"}, viewer=True)},
    )  # fmt: skip
    node: Node | None = _node_lookup(_any_node, description="Whatever has this id.")
    nodes: list[Node | None] = _node_lookup(
        _any_nodes, many=True, description="Whatever has these ids, in their order; at most 100."
    )
    storefront: Storefront | None = _lookup(
        _storefront, STOREFRONT, "storefronts:read", "id", "handle", description="By exactly one of `id` and `handle`."
    )
    storefronts: Connection[Storefront] = connection(
        STOREFRONTS, filter_type=StorefrontFilter, sort_type=StorefrontSort, description="Those that you may see."
    )
    product: Product | None = _lookup(_product, PRODUCT, "storefronts:read")
    products: Connection[Product] = connection(
        PRODUCTS, filter_type=ProductFilter, sort_type=ProductSort, description="Those that you may see."
    )
    order: Order | None = _lookup(_order, ORDER, "orders:read")
    orders: Connection[Order] = connection(
        ORDERS, filter_type=OrderFilter, sort_type=OrderSort, description="Those placed in your storefronts."
    )
    affiliate_links: Connection[AffiliateLink] = connection(
        AFFILIATE_LINKS, filter_type=AffiliateLinkFilter, description="Your own."
    )
    affiliate_report: AffiliateReport = strawberry.field(
        resolver=affiliate_report,
        description="Clicks and sales of your links from a time up to, not including, another; usually the last 30 days.",
    )
    assets: Connection[Asset] = connection(
        ASSETS, filter_type=AssetFilter, description="Your own, and those published to you."
    )
    tryon_session: TryonSession | None = _lookup(_tryon_session, TRYON_SESSION, "tryon:write", description="Your own.")
    webhook: Webhook | None = _lookup(_webhook, WEBHOOK, "webhooks:manage")
    webhook_secret: str | None = recent_secret()
    webhook_secrets: list[WebhookSecret] | None = live_secrets()
    webhook_health: WebhookHealth | None = health()
    webhook_event_types: list[WebhookEventType] = event_types()
    events: Connection[Event] = connection(
        EVENTS, filters={"types": list[EventType], "since": datetime}, directives=[EVENTS_PREVIEW],
        description="What happened in the last 30 days to what is yours, oldest first; go on from `endCursor` at any time.",
    )  # fmt: skip
    recommended_products: Connection[Recommendation] = recommended_products()
    webhooks: Connection[Webhook] = connection(WEBHOOKS, description="Your own.")
