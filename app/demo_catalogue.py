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
from db.tables import User
from resolvers.affiliates import AffiliateLinkInput, create_link
from resolvers.catalogue import import_products
from resolvers.inputs import read
from resolvers.platform import Platform
from resolvers.storefronts import StorefrontInput, create_storefront

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
    for place, storefront in enumerate(_read("storefronts.json")):
        say(f"loading {storefront['name']}")
        owner = first_owner if place == 0 else await _person(db, storefront["owner"])
        await _load_storefront(db, platform, owner, storefront)
    say("loading affiliate links")
    people = {person["handle"]: await _person(db, person) for person in links["affiliates"]}
    for link in links["links"]:
        await _load_link(db, platform, people[link["affiliate"]], link)
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


async def _load_storefront(db: Database, platform: Platform, owner: str, told: dict[str, Any]) -> None:
    ctx = context_as(db, platform, owner)
    body = {name: value for name, value in told.items() if name not in ("owner", "products")}
    if await ctx.loaders.row_by(STOREFRONT, "handle", told["handle"]) is None:
        await create_storefront(ctx, given=read(StorefrontInput, body))
        ctx.loaders.forget()
    row = await ctx.loaders.row_by(STOREFRONT, "handle", told["handle"])
    if row is None or row.owner_id != owner:
        return
    report = await import_products(ctx, storefront=row, path=FOLDER / told["products"])
    if report.refusals:
        raise ValueError(f"the demo catalogue has a refused row: {report.refusals[0]}")


async def _load_link(db: Database, platform: Platform, affiliate: str, told: dict[str, Any]) -> None:
    if await db.fetch_value("select 1 from affiliate_links where code = $1", [told["code"]]):
        return
    product = await db.fetch_value(
        "select p.id from products p join storefronts s on s.id = p.storefront_id where s.handle = $1 and p.sku = $2",
        [told["storefront"], told["sku"]],
    )
    body = {"product_id": product, "code": told["code"], "commission_rate": told["commission_rate"]}
    await create_link(context_as(db, platform, affiliate), given=read(AffiliateLinkInput, body))
