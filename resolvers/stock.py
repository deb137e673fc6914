"""The one order in which everything that moves stock takes its locks, so that no two moves wait for each other in a ring.

Storefronts, then products, then stock rows, each by id. An upsert holds its storefront and its product; a change of a
storefront's reach rewrites its products. Whoever moves stock therefore holds both before it touches a stock row.
"""

from collections.abc import Iterable

from sqlmodel import col, select

from db.sessions import WriteSession
from db.tables import Inventory, Product, Storefront, Variant


async def hold(session: WriteSession, variants: Iterable[Variant]) -> dict[str, Product]:
    """The variants' products by id, locked. Their storefronts are shared: other moves may go on in them, upserts may not."""
    held = list(variants)
    storefronts = select(Storefront.id).where(col(Storefront.id).in_({variant.storefront_id for variant in held}))
    await session.exec(storefronts.order_by(col(Storefront.id)).with_for_update(read=True))
    products = select(Product).where(col(Product.id).in_({variant.product_id for variant in held}))
    rows = await session.exec(products.order_by(col(Product.id)).with_for_update(key_share=True))
    return {row.id: row for row in rows.all()}


async def lock(session: WriteSession, variant_ids: Iterable[str]) -> dict[str, Inventory]:
    """The stock rows by variant id, locked; their products are held already."""
    query = select(Inventory).where(col(Inventory.variant_id).in_(set(variant_ids))).order_by(col(Inventory.variant_id))
    rows = (await session.exec(query.with_for_update().execution_options(populate_existing=True))).all()
    return {row.variant_id: row for row in rows}
