"""Stock: reading it, and moving many items at once, all or none."""

from asyncio import gather
from collections.abc import Sequence
from functools import partial
from typing import Annotated

from pydantic import Field
from sqlmodel import col, select

from db.bodies.products import InventoryBody
from db.relations import STOREFRONT, STOREFRONT_INVENTORY, VARIANT
from db.sessions import WriteSession
from db.tables import Inventory, Storefront, Variant
from resolvers import product_writes
from resolvers.context import Context
from resolvers.errors import Conflict, Fault, Forbidden, Invalid
from resolvers.inputs import ABSENT, IdOf, Input, Sku
from resolvers.loaders import Page, PageArgs
from resolvers.product_inputs import Pieces
from resolvers.reads import follow, get
from resolvers.stock import hold, lock
from resolvers.writes import Written, write

LARGEST = 2_000_000_000
Place = tuple[int, Variant]


class StockMove(Input):
    """One variant's stock: set with `available` or moved with `adjust`; `expected` guards against a lost update."""

    variant_id: IdOf("var") = ABSENT  # type: ignore[valid-type]
    sku: Sku = ABSENT
    storefront_id: IdOf("sf") = ABSENT  # type: ignore[valid-type]
    available: Pieces = ABSENT
    adjust: Annotated[int, Field(ge=-LARGEST, le=LARGEST)] = ABSENT
    expected: Pieces = ABSENT


class InventoryInput(Input):
    """Up to 250 moves that happen together or not at all."""

    items: Annotated[list[StockMove], Field(min_length=1, max_length=250)]


async def inventory_of(ctx: Context, *, storefront_id: str, args: PageArgs) -> Page[Inventory]:
    """A page of a storefront's stock; of another's storefront, nothing."""
    ctx.require("inventory:read")
    return await follow(ctx, STOREFRONT_INVENTORY, await get(ctx, STOREFRONT, storefront_id), args)


async def inventory_bodies(ctx: Context, rows: Sequence[Inventory]) -> list[InventoryBody]:
    """The rows as REST tells them."""
    variants = await gather(*(ctx.loaders.row(VARIANT, row.variant_id) for row in rows))
    return [InventoryBody.of(row, variant.sku if variant else "") for row, variant in zip(rows, variants, strict=True)]


async def set_inventory(ctx: Context, *, given: InventoryInput) -> Written:
    """Moves stock, all items or none; no number falls below zero."""
    ctx.require("inventory:write")
    _check_shape(given)
    return await write(ctx, "inventory.set", given.sent, partial(_set, ctx, given))


def _check_shape(given: InventoryInput) -> None:
    faults = []
    for place, item in enumerate(given.items):
        sent = item.model_fields_set
        if ("sku" in sent) == ("variant_id" in sent):
            faults.append(Fault(f"/items/{place}", "needs either sku or variant_id"))
        if ("available" in sent) == ("adjust" in sent):
            faults.append(Fault(f"/items/{place}", "needs either available or adjust"))
    if faults:
        raise Invalid(*faults)


async def _set(ctx: Context, given: InventoryInput, session: WriteSession) -> Written:
    found = [(place, await _variant(ctx, session, place, item)) for place, item in enumerate(given.items)]
    _check_once(found)
    products = await hold(session, [variant for _, variant in found])
    stock = await lock(session, [variant.id for _, variant in found])
    changed = {
        v.product_id for (_, v), item in zip(found, given.items, strict=True) if _move(ctx, found, stock, v, item)
    }
    await session.flush()
    await product_writes.announce(session, [products[product_id] for product_id in sorted(changed)], ctx.clock())
    bodies = [InventoryBody.of(stock[variant.id], variant.sku).as_json() for _, variant in found]
    return Written({"id": "", "data": bodies})


async def _variant(ctx: Context, session: WriteSession, place: int, item: StockMove) -> Variant:
    """The viewer's own variant that is meant."""
    query = select(Variant, Storefront).join(Storefront, col(Storefront.id) == Variant.storefront_id)
    if item.variant_id is not None:
        query = query.where(Variant.id == item.variant_id)
    else:
        query = query.where(Variant.sku == item.sku)
        if item.storefront_id is None:
            query = query.where(Storefront.owner_id == ctx.viewer.user_id)
    if item.storefront_id is not None:
        query = query.where(Variant.storefront_id == item.storefront_id)
    rows = (await session.exec(query.limit(2))).all()
    name = "variant_id" if item.variant_id is not None else "sku"
    pointer, value = f"/items/{place}/{name}", item.variant_id or item.sku
    own = [row for row in rows if ctx.viewer.may_write_storefront(row[1].id, row[1].owner_id)]
    if len(own) > 1:
        raise Invalid(Fault(pointer, f"several of your storefronts have a variant {value}; name the storefront_id"))
    if own:
        return own[0][0]
    if any(row[1].reach >= 1 for row in rows):
        raise Forbidden(f"The stock of {value} is not yours to change.")
    raise Invalid(Fault(pointer, f"there is no variant {value} that you can see", "not_found"))


def _check_once(found: Sequence[Place]) -> None:
    seen: set[str] = set()
    for place, variant in found:
        if variant.id in seen:
            raise Invalid(Fault(f"/items/{place}", f"{variant.sku} stands twice in this list", "duplicate"))
        seen.add(variant.id)


def _move(ctx: Context, found: Sequence[Place], stock: dict[str, Inventory], variant: Variant, item: StockMove) -> bool:
    row = stock[variant.id]
    pointer = f"/items/{next(place for place, other in found if other is variant)}"
    if item.expected is not None and item.expected != row.available:
        message = f"{variant.sku} has {row.available} available, not {item.expected}; read it again."
        raise Conflict(message, code="stock_changed", pointer=f"{pointer}/expected")
    wanted = item.available if item.available is not None else row.available + item.adjust
    if not 0 <= wanted <= LARGEST:
        message = f"{variant.sku} has {row.available} available; it cannot become {wanted}."
        raise Conflict(message, code="insufficient_stock", pointer=f"{pointer}/adjust")
    if wanted == row.available:
        return False
    row.available, row.updated_at = wanted, ctx.clock()
    return True
