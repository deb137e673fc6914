"""GraphQL: where reading starts."""

from typing import Any

import strawberry
from strawberry import ID, UNSET, Info

from db.ids import noun_of
from db.model import Entity
from db.relations import (
    AFFILIATE_LINK,
    AFFILIATE_LINKS,
    ORDER,
    ORDERS,
    PRODUCT,
    PRODUCTS,
    STOREFRONT,
    STOREFRONTS,
    USER,
    VARIANT,
)
from execution.markers import PLAN, Lookup
from resolvers import users
from resolvers.context import Context
from resolvers.errors import Fault, Invalid
from schema.affiliates import AffiliateLink, AffiliateLinkFilter
from schema.fields import connection, context_of
from schema.node import Node
from schema.orders import Order, OrderFilter, OrderSort
from schema.paging import Connection
from schema.products import Product, ProductFilter, ProductSort
from schema.storefronts import Storefront, StorefrontFilter, StorefrontSort
from schema.users import User

# What `node` finds, by the noun of an id's prefix, and the scope that each asks for.
NODES: dict[str, tuple[Entity[Any], str | None]] = {
    "user": (USER, None),
    "storefront": (STOREFRONT, "storefronts:read"),
    "product": (PRODUCT, "storefronts:read"),
    "variant": (VARIANT, "storefronts:read"),
    "affiliate_link": (AFFILIATE_LINK, "affiliates:read"),
    "order": (ORDER, "orders:read"),
}
MOST_NODES = 100


async def _node(ctx: Context, id: str) -> Any:  # noqa: A002 - the field's name
    """The row of any kind with this id, or None."""
    found = NODES.get(noun_of(id) or "")
    if found is None:
        return None
    entity, scope = found
    if scope is not None:
        ctx.require(scope)
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


def _lookup(resolve: Any, entity: Entity[Any], scope: str, *columns: str, description: str = "") -> Any:
    mark = Lookup((entity,), scope, columns or ("id",))
    return strawberry.field(resolver=resolve, metadata={PLAN: mark}, description=description)


@strawberry.type
class Query:
    """Where reading starts."""

    me: User = strawberry.field(resolver=_me, description="The user that the token acts as.")
    node: Node | None = strawberry.field(
        resolver=_any_node, description="Whatever has this id.",
        metadata={PLAN: Lookup(tuple(entity for entity, _ in NODES.values()))},
    )  # fmt: skip
    nodes: list[Node | None] = strawberry.field(
        resolver=_any_nodes, description="Whatever has these ids, in their order."
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
