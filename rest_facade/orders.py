"""REST v1: orders."""

from asyncio import gather
from typing import Annotated, Literal

from pydantic import Field

from db.bodies.orders import OrderBody
from db.ids import ULID_PATTERN
from db.relations import ORDERS
from resolvers import orders, reads
from resolvers.orders import OrderInput
from rest_facade import examples
from rest_facade.call import Answer, Call, shown, written
from rest_facade.endpoint import envelope
from rest_facade.queries import ListQuery, Text
from rest_facade.route import Route


class OrdersQuery(ListQuery):
    """Which orders."""

    storefront_id: Annotated[str, Field(pattern=f"^sf_{ULID_PATTERN}$")] | None = Field(None, alias="storefrontId")
    status: Literal["created", "fulfilled"] | None = None
    external_ref: Text | None = None


async def index(call: Call) -> Answer:
    """A page of the orders in the viewer's storefronts."""
    page = await reads.page(call.ctx, ORDERS, call.query.page(ORDERS))
    bodies = await gather(*(orders.order_body(call.ctx, row) for row in page.rows))
    return envelope(call, [body.as_json() for body in bodies], page.cursor(page.rows[-1]) if page.has_next else None)


async def show(call: Call) -> Answer:
    """One order."""
    return shown(await orders.order_body(call.ctx, await orders.get_order(call.ctx, id=call.path["id"])))


async def create(call: Call) -> Answer:
    """Places an order."""
    return written(await orders.create_order(call.ctx, given=call.body), "/v1/orders/{id}")


async def fulfill(call: Call) -> Answer:
    """Fulfils an order."""
    return written(await orders.fulfill_order(call.ctx, id=call.path["id"]))


ROUTES = (
    Route(
        "GET", "/v1/orders", index, "The orders in your storefronts", "Orders", {200: OrderBody},
        scope="orders:read", query=OrdersQuery, listed=True, example_answer=examples.ORDER,
    ),
    Route(
        "POST", "/v1/orders", create, "Place an order: its stock is reserved, every line or none", "Orders",
        {201: OrderBody}, scope="orders:write", body=OrderInput, errors=(409,),
        example=examples.ORDER_INPUT, example_answer=examples.ORDER,
    ),
    Route(
        "GET", "/v1/orders/{id}", show, "One order with its lines", "Orders", {200: OrderBody},
        scope="orders:read", example_answer=examples.ORDER,
    ),
    Route(
        "POST", "/v1/orders/{id}/fulfill", fulfill, "Fulfil an order: its reserved stock leaves", "Orders",
        {200: OrderBody}, scope="orders:write", errors=(409,),
        example_answer=examples.ORDER | {"status": "fulfilled", "fulfilled_at": examples.ORDER["updated_at"]},
    ),
)  # fmt: skip
