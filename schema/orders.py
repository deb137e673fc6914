"""GraphQL: orders."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry import UNSET, Info

from db import tables
from db.relations import LINE_VARIANT, ORDER, ORDER_LINES, ORDER_STOREFRONT
from resolvers import orders
from resolvers.context import Context
from resolvers.orders import OrderInput
from resolvers.writes import Written
from schema.fields import connection, relation
from schema.money import Money, money
from schema.mutations import UserError, as_input, run
from schema.node import Node, shows
from schema.paging import Connection
from schema.products import ProductVariant
from schema.storefronts import Storefront


@strawberry.enum(name="OrderStatus", description="CREATED: its stock is reserved. FULFILLED: its stock has left.")
class OrderStatus(Enum):
    """Kept in lower case, shown in upper case."""

    CREATED = "created"
    FULFILLED = "fulfilled"


@strawberry.type(description="One variant in an order, with the title and price at which it was bought.")
class OrderLine:
    """Resolves from a row of `order_lines`."""

    sku: str
    title: str
    quantity: int
    price: Money = money("price", description="The price of one piece.")
    variant: ProductVariant | None = relation(LINE_VARIANT)


@strawberry.type(description="A purchase in one storefront.")
class Order(Node):
    """Resolves from a row of `orders`."""

    is_type_of = shows(tables.Order)
    status: OrderStatus
    storefront: Storefront = relation(ORDER_STOREFRONT)
    lines: Connection[OrderLine] = connection(ORDER_LINES, description="In the order in which they were sent.")
    total: Money = money("total")
    click_id: strawberry.ID | None = strawberry.field(description="The click on an affiliate link that led to it.")
    external_ref: str | None = strawberry.field(description="The order's number in the shop's own system.")
    created_at: datetime
    updated_at: datetime
    fulfilled_at: datetime | None


@strawberry.input(description="Which orders.")
class OrderFilter:
    """What is left out does not narrow the list."""

    storefront_id: strawberry.ID | None = UNSET
    status: OrderStatus | None = UNSET
    external_ref: str | None = UNSET


@strawberry.enum(description="In which order.")
class OrderSort(Enum):
    """Names of `db.relations`."""

    CREATED_AT_ASC = "CREATED_AT_ASC"
    CREATED_AT_DESC = "CREATED_AT_DESC"


@strawberry.input(description="Pieces of one variant, named by `variantId` or by `sku`.")
class OrderLineInput:
    """At least one piece."""

    variant_id: strawberry.ID | None = UNSET
    sku: str | None = UNSET
    quantity: int


@strawberry.input(description="A purchase in one storefront of your own.")
class OrderCreateInput:
    """Every line's pieces are reserved, or none."""

    storefront_id: strawberry.ID
    lines: list[OrderLineInput]
    click_id: strawberry.ID | None = UNSET
    external_ref: str | None = UNSET


@strawberry.input(description="Which order to fulfil.")
class OrderFulfillInput:
    """Its id."""

    id: strawberry.ID


@strawberry.type(description="The order as it stands after the write, or what was wrong.")
class OrderPayload:
    """`order` is null where there are user errors."""

    order: Order | None
    user_errors: list[UserError]


@strawberry.type
class OrderMutations:
    """Mirrors REST's writes."""

    @strawberry.mutation(description="Place an order: its stock is reserved, every line or none.")
    async def order_create(self, info: Info, input: OrderCreateInput) -> OrderPayload:  # noqa: A002
        """`POST /v1/orders`."""

        async def act(ctx: Context) -> Written:
            return await orders.create_order(ctx, given=as_input(OrderInput, input))

        return await run(info, OrderPayload, "order", ORDER, act)

    @strawberry.mutation(description="Fulfil an order: its reserved stock leaves.")
    async def order_fulfill(self, info: Info, input: OrderFulfillInput) -> OrderPayload:  # noqa: A002
        """`POST /v1/orders/{id}/fulfill`."""

        async def act(ctx: Context) -> Written:
            return await orders.fulfill_order(ctx, id=input.id)

        return await run(info, OrderPayload, "order", ORDER, act)
