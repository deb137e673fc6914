"""How an upsert changes rows: the product, its variants, their stock. Called inside a transaction that holds the storefront."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from db.bodies.products import ProductBody
from db.ids import new_id
from db.sessions import WriteSession
from db.tables import Inventory, Product, Storefront, Variant
from resolvers.errors import Conflict, Fault, Invalid, NotFound
from resolvers.product_inputs import ProductInput, VariantInput
from webhooks.outbox import Happening, emit_all

# Variants in their order, and the stock of each by its id.
Parts = tuple[Sequence[Variant], Mapping[str, Inventory]]
_PLAIN = ("sku", "title", "description", "category", "status", "visibility")


async def find(session: WriteSession, storefront: Storefront, given: ProductInput) -> Product | None:
    """The product that is meant, locked, or None where it is a new one."""
    query = select(Product).where(Product.storefront_id == storefront.id).with_for_update()
    if given.id is None and given.sku is None:
        raise Invalid(Fault("/sku", "is required", "missing"))
    if given.id is None:
        return (await session.exec(query.where(Product.sku == given.sku))).first()
    row = (await session.exec(query.where(Product.id == given.id))).first()
    if row is None:
        raise NotFound("product", given.id)
    return row


async def apply(
    session: WriteSession, storefront: Storefront, present: Product | None, given: ProductInput, now: datetime
) -> tuple[Product, Parts, bool]:
    """Brings the rows to what was sent: the product, its parts as they then stand, and whether anything differs."""
    _check_variants(given)
    row = present if present is not None else _new(session, storefront, given, now)
    _copy(row, given)
    differs = session.is_modified(row)
    if differs and given.id is not None:  # found by its SKU, or new under one that was not found
        await _check_sku(session, row)
    await session.flush()
    moved, known = await _apply_variants(session, row, await parts(session, row, archived=True), given, now)
    if (differs or moved) and present is not None:
        row.updated_at = now
    await session.flush()
    session.expire(row, ["reach"])  # a trigger's
    return row, known, differs or moved


def _new(session: WriteSession, storefront: Storefront, given: ProductInput, now: datetime) -> Product:
    needed = {"title": given.title, "price": given.price}
    missing = [
        Fault(f"/{name}", "is required for a new product", "missing") for name, value in needed.items() if value is None
    ]
    if missing:
        raise Invalid(*missing)
    row = Product(
        id=new_id("prd"), storefront_id=storefront.id, owner_id=storefront.owner_id, sku=given.sku,
        price_amount=given.price.amount, price_currency=given.price.currency,
        extra={}, media=[], created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(row)
    return row


def _copy(row: Product, given: ProductInput) -> None:
    values: dict[str, Any] = {name: getattr(given, name) for name in _PLAIN if name in given.model_fields_set}
    if given.price is not None:
        values["price_amount"], values["price_currency"] = given.price.amount, given.price.currency
    if given.metadata is not None:
        values["extra"] = given.metadata
    if given.media is not None:
        values["media"] = [item.model_dump() for item in given.media]
    for name, value in values.items():
        if getattr(row, name, None) != value:
            setattr(row, name, value)


async def _check_sku(session: WriteSession, row: Product) -> None:
    with session.no_autoflush:
        query = select(Product.id).where(Product.storefront_id == row.storefront_id, Product.sku == row.sku)
        if (await session.exec(query.where(Product.id != row.id))).first():
            raise Conflict(f"Another product of this storefront has the SKU {row.sku}.", pointer="/sku")


def _check_variants(given: ProductInput) -> None:
    seen: set[str] = set()
    for place, variant in enumerate(given.variants or ()):
        if variant.sku in seen:
            raise Invalid(Fault(f"/variants/{place}/sku", f"{variant.sku} stands twice in this list", "duplicate"))
        seen.add(variant.sku)


async def _apply_variants(
    session: WriteSession, row: Product, present: Parts, given: ProductInput, now: datetime
) -> tuple[bool, Parts]:
    """Whether any variant differs, and those that are sold with their stock."""
    variants, stock = present
    by_sku = {variant.sku: variant for variant in variants}
    await _check_taken(session, row, given, by_sku)
    wanted = list(given.variants or ()) or ([] if variants else [VariantInput(sku=row.sku)])
    known = [(by_sku[item.sku], item) for item in wanted if item.sku in by_sku]
    moved = [_apply_variant(row, variant, stock, item, now) for variant, item in known]
    new, new_stock = await _add_variants(session, row, [item for item in wanted if item.sku not in by_sku], now)
    if given.replace_variants and given.variants is not None:
        moved.append(_archive(variants, stock, {item.sku for item in given.variants}, now))
    moved.append(_follow_price(row, variants, now))
    sold = [variant for variant in (*variants, *new) if variant.archived_at is None]
    return any(moved) or bool(new), (sorted(sold, key=lambda variant: variant.id), {**stock, **new_stock})


async def _check_taken(session: WriteSession, row: Product, given: ProductInput, own: Mapping[str, Variant]) -> None:
    new = [wanted.sku for wanted in given.variants or () if wanted.sku not in own]
    if not own and not given.variants:
        new = [row.sku]
    query = select(Variant.sku).where(Variant.storefront_id == row.storefront_id, col(Variant.sku).in_(new))
    taken = (await session.exec(query)).first() if new else None
    if taken is not None:
        message = f"Another product of this storefront has a variant with the SKU {taken}."
        raise Conflict(message, pointer=f"/variants/{new.index(taken)}/sku" if given.variants else "/sku")


def _apply_variant(
    product: Product, row: Variant, stock: Mapping[str, Inventory], wanted: VariantInput, now: datetime
) -> bool:
    before = (row.options, row.price_amount, row.price_currency, row.price_own, row.archived_at)
    if "options" in wanted.model_fields_set and _options(wanted) != row.options:
        row.options = _options(wanted)
    if "price" in wanted.model_fields_set:
        row.price_own = wanted.price is not None
        money = wanted.price
        row.price_amount = money.amount if money else product.price_amount
        row.price_currency = money.currency if money else product.price_currency
    row.archived_at = None
    changed = before != (row.options, row.price_amount, row.price_currency, row.price_own, row.archived_at)
    if changed:
        row.updated_at = now
    return _set_stock(stock[row.id], wanted.inventory, now) or changed


async def _add_variants(
    session: WriteSession, product: Product, wanted: Sequence[VariantInput], now: datetime
) -> Parts:
    rows = [_variant(product, item, now) for item in wanted]
    session.add_all(rows)
    await session.flush()  # their stock refers to them
    stock = {row.id: _stock(row, product, item, now) for row, item in zip(rows, wanted, strict=True)}
    session.add_all(stock.values())
    return rows, stock


def _variant(product: Product, wanted: VariantInput, now: datetime) -> Variant:
    money = wanted.price
    return Variant(
        id=new_id("var"), product_id=product.id, storefront_id=product.storefront_id, sku=wanted.sku,
        options=_options(wanted), price_own=money is not None,
        price_amount=money.amount if money else product.price_amount,
        price_currency=money.currency if money else product.price_currency,
        created_at=now, updated_at=now,
    )  # fmt: skip


def _stock(row: Variant, product: Product, wanted: VariantInput, now: datetime) -> Inventory:
    return Inventory(
        variant_id=row.id, product_id=product.id, storefront_id=product.storefront_id, owner_id=product.owner_id,
        available=wanted.inventory or 0, reserved=0, updated_at=now,
    )  # fmt: skip


def _options(wanted: VariantInput) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in (wanted.options or {}).items()]


def _set_stock(stock: Inventory, available: int | None, now: datetime) -> bool:
    if available is None or stock.available == available:
        return False
    stock.available, stock.updated_at = available, now
    return True


def _archive(variants: Sequence[Variant], stock: Mapping[str, Inventory], kept: set[str], now: datetime) -> bool:
    gone = [variant for variant in variants if variant.sku not in kept and variant.archived_at is None]
    for variant in gone:
        variant.archived_at = variant.updated_at = now
        _set_stock(stock[variant.id], 0, now)
    return bool(gone)


def _follow_price(product: Product, variants: Sequence[Variant], now: datetime) -> bool:
    """Variants without a price of their own have the product's."""
    changed = False
    for variant in variants:
        price = (product.price_amount, product.price_currency)
        if not variant.price_own and (variant.price_amount, variant.price_currency) != price:
            variant.price_amount, variant.price_currency = price
            variant.updated_at, changed = now, True
    return changed


async def parts(session: WriteSession, *rows: Product, archived: bool = False) -> Parts:
    """The products' variants in their order, and the stock of each by variant id."""
    ids = [row.id for row in rows]
    query = select(Variant).where(col(Variant.product_id).in_(ids)).order_by(col(Variant.id))
    if not archived:
        query = query.where(col(Variant.archived_at).is_(None))
    variants = (await session.exec(query)).all()
    held = select(Inventory).where(col(Inventory.product_id).in_(ids)).order_by(col(Inventory.variant_id))
    stock = await session.exec(held.with_for_update())
    return variants, {item.variant_id: item for item in stock.all()}


async def announce(session: WriteSession, rows: Sequence[Product], now: datetime) -> None:
    """Writes product.updated for each: the listing as its owner sees it."""
    if rows:
        variants, stock = await parts(session, *rows)
        own = {row.id: [variant for variant in variants if variant.product_id == row.id] for row in rows}
        await emit_all(session, [updated(row, (own[row.id], stock), now) for row in rows])


def updated(row: Product, known: Parts, now: datetime) -> Happening:
    """The event of a listing that has changed: the listing as its owner sees it."""
    body = ProductBody.with_stock(row, *known).as_json()
    return Happening("product.updated", row.id, [row.owner_id], body, now)
