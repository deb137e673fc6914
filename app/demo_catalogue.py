"""Loads the demo catalogue of `app/demo/` through the importer that partners use."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from app.operator import context_as, user_id_of
from db.ids import new_id
from db.relations import STOREFRONT
from db.sessions import Database
from db.tables import Storefront, User
from resolvers.affiliates import AffiliateLinkInput, create_link
from resolvers.catalogue import import_products
from resolvers.context import Context
from resolvers.inputs import read
from resolvers.platform import Platform
from resolvers.storefronts import StorefrontChanges, StorefrontInput, create_storefront, update_storefront

FOLDER: Final = Path(__file__).parent / "demo"
Say = Callable[[str], None]


def _read(name: str) -> Any:
    return orjson.loads((FOLDER / name).read_bytes())


async def load_demo(db: Database, platform: Platform, *, first_owner: str, say: Say) -> bool:
    """Storefronts, products and links, once; `first_owner` gets the first storefront. False where they are there already."""
    links = _read("affiliate_links.json")
    codes = [link["code"] for link in links["links"]]
    if await db.fetch_value("select count(*) from affiliate_links where code = any($1)", [codes]) == len(codes):
        return False
    storefronts = _read("storefronts.json")
    owners = [first_owner] + [await _person(db, told["owner"]) for told in storefronts[1:]]
    for owner, told in zip(owners, storefronts, strict=True):
        say(f"loading {told['name']}")
        await _load_storefront(context_as(db, platform, owner), told)
    say("loading affiliate links")
    people = {person["handle"]: await _person(db, person) for person in links["affiliates"]}
    for link in links["links"]:
        await _load_link(db, platform, people[link["affiliate"]], link)
    for owner, told in zip(owners, storefronts, strict=True):
        await _settle(context_as(db, platform, owner), told)
    return True


async def _person(db: Database, told: dict[str, str]) -> str:
    """A creator without a password: of the demo, nobody signs in as them."""

    async def make() -> str:
        now = datetime.now(UTC)
        user = User(
            id=new_id("usr"), handle=told["handle"], display_name=told["display_name"], region=told["region"],
            created_at=now, updated_at=now,
        )  # fmt: skip
        async with db.write() as session:
            session.add(user)
        return user.id

    return await user_id_of(db, told["handle"], make)


async def _load_storefront(ctx: Context, told: dict[str, Any]) -> None:
    """Open to all at first: affiliates link to products of shops that have since paused."""
    body = {name: value for name, value in told.items() if name not in ("owner", "products")}
    body |= {"status": "active", "settings": {**told["settings"], "visibility": "public"}}
    if await ctx.loaders.row_by(STOREFRONT, "handle", told["handle"]) is None:
        await create_storefront(ctx, given=read(StorefrontInput, body))
        ctx.loaders.forget()
    report = await import_products(ctx, storefront=await _storefront(ctx, told), path=FOLDER / told["products"])
    if report.refusals:
        raise ValueError(f"the demo catalogue has a refused row: {report.refusals[0]}")


async def _storefront(ctx: Context, told: dict[str, Any]) -> Storefront:
    row = await ctx.loaders.row_by(STOREFRONT, "handle", told["handle"])
    if row is None or row.owner_id != ctx.viewer.user_id:
        raise ValueError(f"the handle {told['handle']} of the demo catalogue is somebody else's here")
    return row


async def _settle(ctx: Context, told: dict[str, Any]) -> None:
    """The status and visibility that the storefront is to have."""
    row = await _storefront(ctx, told)
    changes = {"status": told["status"], "settings": {"visibility": told["settings"]["visibility"]}}
    await update_storefront(ctx, id=row.id, given=read(StorefrontChanges, changes))


async def _load_link(db: Database, platform: Platform, affiliate: str, told: dict[str, Any]) -> None:
    if await db.fetch_value("select 1 from affiliate_links where code = $1", [told["code"]]):
        return
    product = await db.fetch_value(
        "select p.id from products p join storefronts s on s.id = p.storefront_id where s.handle = $1 and p.sku = $2",
        [told["storefront"], told["sku"]],
    )
    body = {"product_id": product, "code": told["code"], "commission_rate": told["commission_rate"]}
    await create_link(context_as(db, platform, affiliate), given=read(AffiliateLinkInput, body))
