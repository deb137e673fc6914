"""REST v1: inventory."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from db.bodies.base import Body, encode, etag
from db.bodies.products import InventoryBody
from db.ids import ULID_PATTERN
from db.relations import STOREFRONT_INVENTORY
from resolvers import inventory
from resolvers.errors import DomainError
from resolvers.inventory import InventoryInput
from rest_facade import examples
from rest_facade.call import Answer, Call
from rest_facade.endpoint import envelope
from rest_facade.queries import ListQuery
from rest_facade.route import Route

MOST_TAGS = 5


class InventoryQuery(ListQuery):
    """Whose stock."""

    storefront_id: Annotated[str, Field(alias="storefrontId", pattern=f"^sf_{ULID_PATTERN}$")]


class InventoryItems(Body):
    """The items as they stand after the moves, in the order of the request."""

    data: list[InventoryBody]


async def index(call: Call) -> Answer:
    """A page of a storefront's stock. Its ETag says what was asked too: a later PUT is held to that page."""
    query: InventoryQuery = call.query
    args = query.page(STOREFRONT_INVENTORY, storefront_id=None)
    page = await inventory.inventory_of(call.ctx, storefront_id=query.storefront_id, args=args)
    bodies = await inventory.inventory_bodies(call.ctx, page.rows)
    answer = envelope(call, [body.as_json() for body in bodies], page.cursor(page.rows[-1]) if page.has_next else None)
    answer.headers["etag"] = _tag(encode(answer.body), query)
    return answer


def _tag(body: bytes, query: InventoryQuery) -> str:
    asked = encode(query.model_dump(mode="json", exclude_none=True, exclude_unset=True, by_alias=True))
    return f'{etag(body)[:-1]}.{urlsafe_b64encode(asked).decode().rstrip("=")}"'


def _asked(tag: str) -> InventoryQuery | None:
    """What the page with this ETag was the answer to; None where it is no page's."""
    _, _, told = tag.strip('"').partition(".")
    try:
        return InventoryQuery.model_validate_json(urlsafe_b64decode(told + "=" * (-len(told) % 4)))
    except ValueError:
        return None


async def _is_unchanged(call: Call, tag: str) -> bool:
    """Whether the page with this ETag would be answered just so now."""
    query = _asked(tag)
    if query is None:
        return False
    try:
        return (await index(replace(call, ctx=call.ctx.fresh(), query=query))).headers["etag"] == tag
    except DomainError:
        return False


async def update(call: Call) -> Answer:
    """Moves stock. `If-Match` is the ETag of a page of GET, or of the last answer to the same items."""

    async def unchanged() -> bool:
        tags = (call.if_match or "").split(",")
        return any([await _is_unchanged(call, tag.strip()) for tag in tags[:MOST_TAGS]])

    outcome = await inventory.set_inventory(call.ctx, given=call.body, if_match=call.if_match, unchanged=unchanged)
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
