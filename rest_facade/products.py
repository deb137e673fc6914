"""REST v1: products."""

from asyncio import gather
from typing import Literal

from db.bodies.products import ProductBody
from db.relations import STOREFRONT_PRODUCTS
from resolvers import products, reads, storefronts
from resolvers.inputs import MomentInput
from resolvers.product_inputs import ProductInput
from rest_facade import examples
from rest_facade.call import Answer, Call, shown, written
from rest_facade.endpoint import envelope
from rest_facade.queries import ListQuery, Text
from rest_facade.route import Route


class ProductsQuery(ListQuery):
    """Which products."""

    status: Literal["draft", "active", "archived"] | None = None
    visibility: Literal["public", "unlisted", "hidden"] | None = None
    sku: Text | None = None
    updated_since: MomentInput | None = None


async def index(call: Call) -> Answer:
    """A page of a storefront's products."""
    storefront = await storefronts.get_storefront(call.ctx, id=call.path["id"])
    page = await reads.follow(call.ctx, STOREFRONT_PRODUCTS, storefront, call.query.page(STOREFRONT_PRODUCTS))
    bodies = await gather(*(products.product_body(call.ctx, row) for row in page.rows))
    return envelope(call, [body.as_json() for body in bodies], page.cursor(page.rows[-1]) if page.has_next else None)


async def show(call: Call) -> Answer:
    """One product."""
    row = await products.get_product(call.ctx, id=call.path["id"])
    return shown(await products.product_body(call.ctx, row))


async def upsert(call: Call) -> Answer:
    """Creates or updates a listing."""
    outcome = await products.upsert_product(
        call.ctx, storefront_id=call.path["id"], given=call.body, if_match=call.if_match
    )
    return written(outcome, "/v1/products/{id}")


async def archive(call: Call) -> Answer:
    """Archives a listing."""
    await products.archive_product(call.ctx, id=call.path["id"], if_match=call.if_match)
    return Answer(status=204)


ROUTES = (
    Route(
        "GET", "/v1/storefronts/{id}/products", index, "A storefront's products", "Products",
        {200: ProductBody}, scope="storefronts:read", query=ProductsQuery, listed=True,
        example_answer=examples.PRODUCT,
    ),
    Route(
        "POST", "/v1/storefronts/{id}/products", upsert, "Create or update a product listing, by sku or id",
        "Products", {200: ProductBody, 201: ProductBody}, scope="storefronts:write", body=ProductInput,
        errors=(409, 412), example=examples.PRODUCT_INPUT, example_answer=examples.PRODUCT,
    ),
    Route(
        "GET", "/v1/products/{id}", show, "One product with its variants", "Products",
        {200: ProductBody}, scope="storefronts:read", example_answer=examples.PRODUCT,
    ),
    Route(
        "DELETE", "/v1/products/{id}", archive, "Archive a product", "Products", {204: None},
        scope="storefronts:write", errors=(412,),
    ),
)  # fmt: skip
