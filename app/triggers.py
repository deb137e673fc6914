"""Makes real events happen in the sandbox, by the acts that cause them: nothing is faked, so what arrives is what comes."""

import base64
import io
from collections.abc import Awaitable, Callable
from typing import Any, Final

from db.ids import new_id
from resolvers import affiliates, assets, clicks, conversions, moderation, orders, products, storefronts, tryon
from resolvers.affiliates import AffiliateLinkInput
from resolvers.asset_inputs import AssetInput
from resolvers.context import Context
from resolvers.conversions import ConversionInput
from resolvers.errors import Conflict
from resolvers.inputs import read
from resolvers.orders import OrderInput
from resolvers.product_inputs import ProductInput
from resolvers.storefronts import StorefrontInput
from resolvers.tryon_inputs import TryonSessionInput

_SKU: Final = "TRIGGER-01"
_PRICE: Final = {"amount": "29.00", "currency": "EUR"}
# One transparent pixel: a PNG as small as they come.
_PIXEL: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def trigger(ctx: Context, event_type: str) -> dict[str, Any]:
    """Does what causes an event of this type, as the viewer. Returns what came of it, as REST tells it.

    KeyError for a type that nothing here causes.
    """
    return await _ACTS[event_type](ctx)


async def _storefront(ctx: Context) -> str:
    """The viewer's storefront for such trials, made when it is first needed."""
    handle = f"@trigger-{ctx.viewer.user_id[4:].lower()}"
    given = {"handle": handle, "name": "Trigger", "status": "active", "settings": {"visibility": "unlisted"}}
    try:
        return (await storefronts.create_storefront(ctx, given=read(StorefrontInput, given))).id
    except Conflict:
        found = await ctx.db.fetch_value("select id from storefronts where handle = $1", [handle])
        return str(found)


async def _product(ctx: Context) -> dict[str, Any]:
    """A listing that differs from what it was, with stock."""
    given = {
        "sku": _SKU, "title": "A tee for trials", "description": f"Triggered {new_id('evt')}", "price": _PRICE,
        "status": "active", "variants": [{"sku": _SKU, "options": {}, "inventory": 1000}],
    }  # fmt: skip
    outcome = await products.upsert_product(ctx, storefront_id=await _storefront(ctx), given=read(ProductInput, given))
    return outcome.body


async def _order(ctx: Context) -> dict[str, Any]:
    product = await _product(ctx)
    given = {"storefront_id": product["storefront_id"], "lines": [{"sku": _SKU, "quantity": 1}]}
    return (await orders.create_order(ctx, given=read(OrderInput, given))).body


async def _fulfilled(ctx: Context) -> dict[str, Any]:
    return (await orders.fulfill_order(ctx, id=(await _order(ctx))["id"])).body


async def _published(ctx: Context) -> dict[str, Any]:
    given = {"title": "A design for trials", "rights": {"license": "trial"}}
    made = await assets.upload_asset(ctx, given=read(AssetInput, given), file=io.BytesIO(_PIXEL))
    await moderation.decide(ctx.db, asset_id=made.id, decision="approved")
    return (await assets.publish_asset(ctx, id=made.id)).body


async def _link(ctx: Context) -> dict[str, Any]:
    given = {"product_id": (await _product(ctx))["id"]}
    return (await affiliates.create_link(ctx, given=read(AffiliateLinkInput, given))).body


async def _click(ctx: Context) -> dict[str, Any]:
    link = await _link(ctx)
    url = await clicks.follow(ctx, code=link["code"], address="192.0.2.1", user_agent=_BROWSER, counts=True)
    return {**link, "followed_to": url}


async def _conversion(ctx: Context) -> dict[str, Any]:
    given = {"link_id": (await _link(ctx))["id"], "order_ref": new_id("ord"), "amount": _PRICE}
    return (await conversions.record_conversion(ctx, given=read(ConversionInput, given))).body


async def _tryon(ctx: Context) -> dict[str, Any]:
    given = {
        "product_id": (await _product(ctx))["id"], "use_case": "product_page", "origin": "https://shop.example.com",
        "consent": True,
    }  # fmt: skip
    return (await tryon.create_session(ctx, given=read(TryonSessionInput, given))).body


_ACTS: Final[dict[str, Callable[[Context], Awaitable[dict[str, Any]]]]] = {
    "order.created": _order,
    "order.fulfilled": _fulfilled,
    "product.updated": _product,
    "design.published": _published,
    "affiliate.click": _click,
    "affiliate.conversion": _conversion,
    "tryon.session.created": _tryon,
}
EVENT_TYPES: Final = tuple(_ACTS)
