"""REST v1: storefronts."""

from asyncio import gather
from typing import Annotated, Any, Literal

from pydantic import Field

from db.bodies.storefronts import StorefrontBody
from db.relations import STOREFRONTS
from resolvers import reads, storefronts
from resolvers.storefronts import StorefrontChanges, StorefrontInput
from rest_facade import examples
from rest_facade.call import Answer, Call, shown, written
from rest_facade.endpoint import envelope
from rest_facade.queries import ListQuery, Text
from rest_facade.route import Route


class StorefrontsQuery(ListQuery):
    """Which storefronts."""

    owner: Annotated[str, Field(pattern=r"^(me|usr_[0-9A-Z]{26})$")] | None = Field(
        None, description="`me`, or a user's id."
    )
    status: Literal["draft", "active", "paused"] | None = None
    handle: Text | None = None


async def index(call: Call) -> Answer:
    """A page of the storefronts that the viewer may see."""
    query: StorefrontsQuery = call.query
    owner = call.ctx.viewer.user_id if query.owner == "me" else query.owner
    args = query.page(STOREFRONTS, owner=None, owner_id=owner)
    page = await reads.page(call.ctx, STOREFRONTS, args)
    bodies = await gather(*(storefronts.storefront_body(call.ctx, row) for row in page.rows))
    return envelope(call, [body.as_json() for body in bodies], page.cursor(page.rows[-1]) if page.has_next else None)


async def show(call: Call) -> Answer:
    """One storefront."""
    return shown(await storefronts.read_storefront(call.ctx, id=call.path["id"]))


async def create(call: Call) -> Answer:
    """A new storefront."""
    return written(await storefronts.create_storefront(call.ctx, given=call.body), "/v1/storefronts/{id}")


async def update(call: Call) -> Answer:
    """Changes an own storefront."""
    given: Any = call.body
    outcome = await storefronts.update_storefront(call.ctx, id=call.path["id"], given=given, if_match=call.if_match)
    return written(outcome)


ROUTES = (
    Route(
        "GET", "/v1/storefronts/{id}", show, "One storefront: its data, settings and metadata", "Storefronts",
        {200: StorefrontBody}, scope="storefronts:read", example_answer=examples.STOREFRONT,
    ),
    Route(
        "GET", "/v1/storefronts", index, "The storefronts that you may see", "Storefronts",
        {200: StorefrontBody}, scope="storefronts:read", query=StorefrontsQuery, listed=True,
        example_answer=examples.STOREFRONT,
    ),
    Route(
        "POST", "/v1/storefronts", create, "Create a storefront of your own", "Storefronts",
        {201: StorefrontBody}, scope="storefronts:write", body=StorefrontInput, errors=(409,),
        example={"handle": "@yourbrand", "name": "Your Brand", "settings": {"currency": "EUR"}},
        example_answer=examples.STOREFRONT,
    ),
    Route(
        "PATCH", "/v1/storefronts/{id}", update, "Change a storefront of your own; what is left out stays",
        "Storefronts", {200: StorefrontBody}, scope="storefronts:write", body=StorefrontChanges, errors=(409, 412),
        example={"status": "active", "description": "Raw denim, made to order."}, example_answer=examples.STOREFRONT,
    ),
)  # fmt: skip
