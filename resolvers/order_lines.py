"""The lines of an order against the stock that they hold. Called inside the order's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from sqlmodel import col, or_, select

from db.sessions import WriteSession
from db.tables import Inventory, OrderLine, Product, Storefront, Variant
from resolvers import product_writes, stock
from resolvers.errors import Conflict, Fault, Invalid

MOST_LINES = 100
MOST_RESERVED = 2_000_000_000


class Asked(Protocol):
    """A line as it was sent."""

    @property
    def variant_id(self) -> str | None: ...
    @property
    def sku(self) -> str | None: ...
    @property
    def quantity(self) -> int: ...


@dataclass(frozen=True)
class Total:
    """A sum in one currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Wanted:
    """A line whose variant was found."""

    variant: Variant
    product: Product
    quantity: int

    def line(self, order_id: str, place: int) -> OrderLine:
        """Its row: what the variant is called and costs at this moment."""
        return OrderLine(
            order_id=order_id, line=place, variant_id=self.variant.id, sku=self.variant.sku, title=self.product.title,
            quantity=self.quantity, price_amount=self.variant.price_amount, price_currency=self.variant.price_currency,
        )  # fmt: skip


def check_shape(lines: Iterable[Asked]) -> None:
    """Each line names its variant in exactly one way."""
    faults = [
        Fault(f"/lines/{place}", "needs either sku or variant_id")
        for place, line in enumerate(lines)
        if (line.sku is None) == (line.variant_id is None)
    ]
    if faults:
        raise Invalid(*faults)


async def find(session: WriteSession, storefront: Storefront, lines: Sequence[Asked]) -> list[Wanted]:
    """The lines' variants, whose products are then held; Invalid names every line that cannot be sold.

    The storefront is held already, so that no upsert changes a price meanwhile.
    """
    named = or_(
        col(Variant.id).in_([line.variant_id for line in lines if line.variant_id is not None]),
        col(Variant.sku).in_([line.sku for line in lines if line.sku is not None]),
    )
    found = (await session.exec(select(Variant).where(Variant.storefront_id == storefront.id, named))).all()
    products = await stock.hold(session, found)
    by_id, by_sku = {variant.id: variant for variant in found}, {variant.sku: variant for variant in found}
    meant = [by_id.get(line.variant_id) if line.variant_id else by_sku.get(line.sku or "") for line in lines]
    _check(lines, meant, products)
    return [
        Wanted(variant, products[variant.product_id], line.quantity)
        for line, variant in zip(lines, meant, strict=True)
        if variant is not None
    ]


def _check(lines: Sequence[Asked], meant: Sequence[Variant | None], products: dict[str, Product]) -> None:
    faults, seen, currency = [], set[str](), ""
    for place, (line, variant) in enumerate(zip(lines, meant, strict=True)):
        pointer = f"/lines/{place}"
        name = f"{pointer}/{'sku' if line.sku is not None else 'variant_id'}"
        if variant is None:
            message = f"this storefront has no variant {line.sku or line.variant_id}"
            faults.append(Fault(name, message, "not_found"))
            continue
        currency = currency or variant.price_currency
        if variant.id in seen:
            faults.append(Fault(pointer, f"{variant.sku} stands twice in this order; add its quantities", "duplicate"))
        elif variant.archived_at is not None or products[variant.product_id].status == "archived":
            faults.append(Fault(name, f"{variant.sku} is archived and no longer sold", "archived"))
        elif variant.price_currency != currency:
            message = f"{variant.sku} is sold in {variant.price_currency}, the lines before it in {currency}"
            faults.append(Fault(pointer, message, "mixed_currencies"))
        seen.add(variant.id)
    if faults:
        raise Invalid(*faults)


def total(wanted: Sequence[Wanted]) -> Total:
    """What the lines cost together."""
    amount = sum((item.variant.price_amount * item.quantity for item in wanted), Decimal(0))
    return Total(amount, wanted[0].variant.price_currency)


async def reserve(session: WriteSession, wanted: Sequence[Wanted], now: datetime) -> None:
    """Takes every line's pieces from what can be sold. The listings have changed by that, and their owner is told."""
    rows = await stock.lock(session, [item.variant.id for item in wanted])
    for place, item in enumerate(wanted):
        _reserve(place, item, rows[item.variant.id], now)
    await session.flush()
    products = {item.product.id: item.product for item in wanted}
    await product_writes.announce(session, [products[id_] for id_ in sorted(products)], now)


def _reserve(place: int, item: Wanted, row: Inventory, now: datetime) -> None:
    if row.available < item.quantity or row.reserved + item.quantity > MOST_RESERVED:
        message = f"{item.variant.sku} has {row.available} available; the order asks for {item.quantity}."
        raise Conflict(message, code="insufficient_stock", pointer=f"/lines/{place}/quantity")
    row.available -= item.quantity
    row.reserved += item.quantity
    row.updated_at = now


async def release(session: WriteSession, lines: Sequence[OrderLine], now: datetime) -> None:
    """Lets go of the pieces that the lines hold. What can be sold does not change, so no listing does."""
    variants = select(Variant).where(col(Variant.id).in_([line.variant_id for line in lines]))
    await stock.hold(session, (await session.exec(variants)).all())
    rows = await stock.lock(session, [line.variant_id for line in lines])
    for line in lines:
        rows[line.variant_id].reserved -= line.quantity
        rows[line.variant_id].updated_at = now
