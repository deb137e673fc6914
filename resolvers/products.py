"""Products: reading them, and the upsert by which owners list what they sell."""

from asyncio import gather
from functools import partial
from typing import Any

from sqlmodel import select

from db.bodies.products import ProductBody, VariantBody
from db.relations import IN_STOCK, PRODUCT, PRODUCT_VARIANTS, TOTAL_INVENTORY, VARIANT_INVENTORY
from db.sessions import WriteSession
from db.tables import Product, Variant
from resolvers import product_writes
from resolvers.context import Context
from resolvers.errors import Forbidden, NotFound
from resolvers.product_inputs import ProductInput
from resolvers.reads import check_id, get
from resolvers.storefronts import check_unchanged, own_storefront
from resolvers.writes import Written, write
from webhooks.outbox import emit_all


async def get_product(ctx: Context, *, id: str) -> Product:  # noqa: A002
    """The product with this id."""
    ctx.require("storefronts:read")
    return await get(ctx, PRODUCT, id)


async def product_body(ctx: Context, row: Product) -> ProductBody:
    """The product as REST tells it to this viewer."""
    variants, total = await gather(
        ctx.loaders.all(PRODUCT_VARIANTS, row.id), ctx.loaders.aggregate(TOTAL_INVENTORY, row.id)
    )
    return ProductBody.of(row, await gather(*(_variant_body(ctx, variant) for variant in variants)), total)


async def _variant_body(ctx: Context, row: Variant) -> VariantBody:
    in_stock, stock = await gather(ctx.loaders.aggregate(IN_STOCK, row.id), ctx.loaders.one(VARIANT_INVENTORY, row.id))
    return VariantBody.of(row, in_stock=in_stock, available=stock.available if stock else None)


async def upsert_product(
    ctx: Context, *, storefront_id: str, given: ProductInput, if_match: str | None = None
) -> Written:
    """Creates or updates a listing with its variants and stock, all or nothing; silent where nothing differs."""
    ctx.require("storefronts:write")
    arguments = {"storefront_id": storefront_id, **given.sent}
    return await write(ctx, "product.upsert", arguments, partial(_upsert, ctx, storefront_id, given, if_match))


async def _upsert(
    ctx: Context, storefront_id: str, given: ProductInput, if_match: str | None, session: WriteSession
) -> Written:
    storefront = await own_storefront(ctx, session, storefront_id)
    present = await product_writes.find(session, storefront, given)
    if if_match is not None:
        check_unchanged(if_match, await present_body(ctx, session, present) if present is not None else None)
    row, parts, changed = await product_writes.apply(session, storefront, present, given, ctx.clock())
    if changed or present is None:
        await emit_all(session, [product_writes.updated(row, parts, ctx.clock())])
    return Written(_told(ctx, row, parts), created=present is None, changed=changed)


async def archive_product(ctx: Context, *, id: str, if_match: str | None = None) -> Written:  # noqa: A002
    """Takes a listing out of sale for good; orders and links that name it stay."""
    ctx.require("storefronts:write")
    return await write(ctx, "product.archive", {"id": id}, partial(_archive, ctx, id, if_match))


async def _archive(ctx: Context, id: str, if_match: str | None, session: WriteSession) -> Written:  # noqa: A002
    row = await own_product(ctx, session, id)
    check_unchanged(if_match, await present_body(ctx, session, row))
    if row.status != "archived":
        row.status, row.updated_at = "archived", ctx.clock()
        await session.flush()
        await session.refresh(row)
        await product_writes.announce(session, [row], ctx.clock())
    return Written(await present_body(ctx, session, row))


async def own_product(ctx: Context, session: WriteSession, id: str) -> Product:  # noqa: A002
    """The viewer's own product, locked for a change."""
    check_id("prd", id)
    row = (await session.exec(select(Product).where(Product.id == id).with_for_update())).first()
    seen = row is not None and (row.reach >= 1 or row.owner_id == ctx.viewer.user_id or ctx.viewer.sight.reads_all)
    if row is None or not seen:
        raise NotFound("product", id[:64])
    if not ctx.viewer.may_write_storefront(row.storefront_id, row.owner_id):
        raise Forbidden(f"The product {row.sku} is not yours to change.")
    return row


async def present_body(ctx: Context, session: WriteSession, row: Product) -> dict[str, Any]:
    """The product as it stands in this transaction, as its owner sees it through this token."""
    return _told(ctx, row, await product_writes.parts(session, row))


def _told(ctx: Context, row: Product, parts: product_writes.Parts) -> dict[str, Any]:
    sees_stock = ctx.viewer.holds("inventory:read")
    return ProductBody.with_stock(row, *parts, sees_stock=sees_stock).as_json()
