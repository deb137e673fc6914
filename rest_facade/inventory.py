"""REST v1: inventory."""

from typing import Annotated

from pydantic import Field

from db.bodies.base import Body
from db.bodies.products import InventoryBody
from db.ids import ULID_PATTERN
from db.relations import STOREFRONT_INVENTORY
from resolvers import inventory
from resolvers.inventory import InventoryInput
from rest_facade import examples
from rest_facade.call import Answer, Call
from rest_facade.endpoint import envelope
from rest_facade.queries import ListQuery
from rest_facade.route import Route


class InventoryQuery(ListQuery):
    """Whose stock."""

    storefront_id: Annotated[str, Field(alias="storefrontId", pattern=f"^sf_{ULID_PATTERN}$")]


class InventoryItems(Body):
    """The items as they stand after the moves, in the order of the request."""

    data: list[InventoryBody]


async def index(call: Call) -> Answer:
    """A page of a storefront's stock."""
    query: InventoryQuery = call.query
    args = query.page(STOREFRONT_INVENTORY, storefront_id=None)
    page = await inventory.inventory_of(call.ctx, storefront_id=query.storefront_id, args=args)
    bodies = await inventory.inventory_bodies(call.ctx, page.rows)
    return envelope(call, [body.as_json() for body in bodies], page.cursor(page.rows[-1]) if page.has_next else None)


async def update(call: Call) -> Answer:
    """Moves stock."""
    outcome = await inventory.set_inventory(call.ctx, given=call.body, if_match=call.if_match)
    return Answer({"data": outcome.body["data"]})


ROUTES = (
    Route(
        "GET", "/v1/inventory", index, "The stock of a storefront", "Inventory", {200: InventoryBody},
        scope="inventory:read", query=InventoryQuery, listed=True, errors=(404,), example_answer=examples.INVENTORY,
    ),
    Route(
        "PUT", "/v1/inventory", update, "Set or adjust stock, all items or none", "Inventory", {200: InventoryItems},
        scope="inventory:write", body=InventoryInput, errors=(409, 412),
        example={"items": [{"sku": "JKT-01-M", "adjust": -2, "expected": 14}]},
        example_answer={"data": [examples.INVENTORY]},
    ),
)  # fmt: skip
