"""Stock: reading it, and moving many items at once, all or none."""

from asyncio import gather
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import Field
from sqlmodel import and_, col, or_, select

from db.bodies.products import InventoryBody
from db.relations import STOREFRONT, STOREFRONT_INVENTORY, VARIANT
from db.sessions import WriteSession
from db.tables import Inventory, Product, Storefront, Variant
from resolvers import product_writes
from resolvers.context import Context
from resolvers.errors import Conflict, Fault, Forbidden, Invalid
from resolvers.inputs import ABSENT, IdOf, Input, Sku
from resolvers.loaders import Page, PageArgs
from resolvers.product_inputs import Pieces
from resolvers.reads import follow, get
from resolvers.stock import hold, lock
from resolvers.storefronts import check_unchanged
from resolvers.writes import Written, write

LARGEST = 2_000_000_000
Place = tuple[int, Variant]
Unchanged = Callable[[], Awaitable[bool]]


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


async def _never() -> bool:
    return False


async def set_inventory(
    ctx: Context, *, given: InventoryInput, if_match: str | None = None, unchanged: Unchanged = _never
) -> Written:
    """Moves stock, all items or none; no number falls below zero. `if_match` is held to what the answer showed last.

    `unchanged` is asked once the items are locked: whether `if_match` holds by something else that the caller read.
    """
    ctx.require("inventory:write")
    _check_shape(given)
    return await write(ctx, "inventory.set", given.sent, partial(_set, ctx, given, if_match, unchanged))


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


async def _set(
    ctx: Context, given: InventoryInput, if_match: str | None, unchanged: Unchanged, session: WriteSession
) -> Written:
    found = await _find(ctx, session, given.items)
    _check_once(found)
    products = await hold(session, [variant for _, variant in found])
    stock = await lock(session, [variant.id for _, variant in found])
    if if_match is not None and not await unchanged():
        check_unchanged(if_match, _body(found, stock))
    moves = zip(found, given.items, strict=True)
    changed = {
        variant.product_id for (place, variant), item in moves if _move(ctx, place, stock[variant.id], variant, item)
    }
    await session.flush()
    await product_writes.announce(session, [products[product_id] for product_id in sorted(changed)], ctx.clock())
    return Written({"id": "", **_body(found, stock)})


def _body(found: Sequence[Place], stock: dict[str, Inventory]) -> dict[str, Any]:
    return {"data": [InventoryBody.of(stock[variant.id], variant.sku).as_json() for _, variant in found]}


async def _find(ctx: Context, session: WriteSession, items: Sequence[StockMove]) -> list[Place]:
    """The viewer's own variants that are meant, in the order of the items, by one statement."""
    rows = await _candidates(ctx, session, items)
    found, faults, foreign = list[Place](), list[Fault](), list[str]()
    for place, item in enumerate(items):
        name, value = ("variant_id", item.variant_id) if item.variant_id is not None else ("sku", item.sku)
        meant = [row for row in rows if _is_meant(ctx, item, row[0], row[1])]
        own = [
            variant
            for variant, storefront, _ in meant
            if ctx.viewer.may_write_storefront(storefront.id, storefront.owner_id)
        ]
        if len(own) == 1 and own[0].archived_at is None:
            found.append((place, own[0]))
        elif not own and any(product.reach >= 1 for _, _, product in meant):
            foreign.append(value)
        else:
            faults.append(Fault(f"/items/{place}/{name}", *_why_not(value, own)))
    if faults:
        raise Invalid(*faults)
    if foreign:
        raise Forbidden(f"The stock of {foreign[0]} is not yours to change.")
    return found


def _why_not(value: str, own: Sequence[Variant]) -> tuple[str, str]:
    if len(own) > 1:
        return f"several of your storefronts have a variant {value}; name the storefront_id", "ambiguous"
    if own:
        return f"{value} is archived and no longer sold", "archived"
    return f"there is no variant {value} that you can see", "not_found"


async def _candidates(
    ctx: Context, session: WriteSession, items: Sequence[StockMove]
) -> Sequence[tuple[Variant, Storefront, Product]]:
    """Every variant that could be meant. By SKU alone, only the viewer's own storefronts are searched."""
    places = [item.storefront_id for item in items if item.storefront_id is not None]
    near = or_(col(Storefront.owner_id) == ctx.viewer.user_id, col(Storefront.id).in_(places))
    named = or_(
        col(Variant.id).in_([item.variant_id for item in items if item.variant_id is not None]),
        and_(col(Variant.sku).in_([item.sku for item in items if item.sku is not None]), near),
    )
    query = select(Variant, Storefront, Product).join(Storefront, col(Storefront.id) == Variant.storefront_id)
    return (await session.exec(query.join(Product, col(Product.id) == Variant.product_id).where(named))).all()


def _is_meant(ctx: Context, item: StockMove, variant: Variant, storefront: Storefront) -> bool:
    if item.storefront_id is not None and item.storefront_id != storefront.id:
        return False
    if item.variant_id is not None:
        return bool(item.variant_id == variant.id)
    return item.sku == variant.sku and (item.storefront_id is not None or storefront.owner_id == ctx.viewer.user_id)


def _check_once(found: Sequence[Place]) -> None:
    seen: set[str] = set()
    for place, variant in found:
        if variant.id in seen:
            raise Invalid(Fault(f"/items/{place}", f"{variant.sku} stands twice in this list", "duplicate"))
        seen.add(variant.id)


def _move(ctx: Context, place: int, row: Inventory, variant: Variant, item: StockMove) -> bool:
    pointer = f"/items/{place}"
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
