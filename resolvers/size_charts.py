"""Size charts: for which bodies a seller makes each size of a product."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Annotated, Final, Literal

from pydantic import Field
from sqlmodel import col, delete

from db.ids import new_id
from db.measures import DIMENSIONS, in_millimetres
from db.sessions import WriteSession
from db.tables import SizeChart, SizeChartEntry
from resolvers.context import Context
from resolvers.errors import Fault, Invalid
from resolvers.inputs import Amount, Input, ShortLine
from resolvers.products import own_product
from resolvers.twin_inputs import DimensionName, Unit
from resolvers.writes import Act, Written, write

MOST_ENTRIES: Final = 500
# A stretch fabric is made smaller than the body: its ease is below zero.
Ease = Annotated[Decimal, Field(ge=-1000, le=1000, max_digits=9, decimal_places=4)]


class SizeChartEntryInput(Input):
    """One dimension of one size."""

    size: ShortLine
    dimension: DimensionName
    lower: Amount
    upper: Amount
    ease_lower: Ease | None = None
    ease_upper: Ease | None = None


class SizeChartInput(Input):
    """A product's whole chart, from its smallest size on; the first dimension is the one that it goes by."""

    product_id: str
    measures: Literal["body", "garment"]
    unit: Unit
    brand: ShortLine | None = None
    entries: Annotated[list[SizeChartEntryInput], Field(min_length=1, max_length=MOST_ENTRIES)]


def body_range(
    lower: Decimal, upper: Decimal, ease_lower: Decimal | None, ease_upper: Decimal | None
) -> tuple[Decimal, Decimal]:
    """The bodies that an entry is made for: what a garment measures, less the ease that it is worn with."""
    return lower - (ease_upper or 0), upper - (ease_lower or 0)


async def set_size_chart(ctx: Context, *, given: SizeChartInput) -> Written:
    """Gives a product of the viewer's own this chart in the place of any other."""
    return await _change(ctx, "set", given.product_id, given, partial(_set, ctx, given))


async def _set(ctx: Context, given: SizeChartInput, session: WriteSession) -> Written:
    product = await own_product(ctx, session, given.product_id)
    _check(given)
    await session.exec(delete(SizeChart).where(col(SizeChart.product_id) == product.id))
    chart = SizeChart(
        product_id=product.id, measures=given.measures, unit=given.unit, brand=given.brand, updated_at=ctx.clock()
    )
    session.add(chart)
    await session.flush()
    session.add_all(
        SizeChartEntry(id=new_id("sce"), product_id=product.id, position=place, **item.model_dump())
        for place, item in enumerate(given.entries)
    )
    return Written({"id": product.id})


async def remove_size_chart(ctx: Context, *, product_id: str) -> Written:
    """Takes the chart away. Where there is none, it is away already."""
    return await _change(ctx, "remove", product_id, None, partial(_remove, ctx, product_id))


async def _remove(ctx: Context, product_id: str, session: WriteSession) -> Written:
    product = await own_product(ctx, session, product_id)
    await session.exec(delete(SizeChart).where(col(SizeChart.product_id) == product.id))
    return Written({"id": product.id})


async def _change(ctx: Context, operation: str, product_id: str, given: SizeChartInput | None, act: Act) -> Written:
    ctx.require("preview:twin")
    ctx.require("storefronts:write")
    arguments = {"product_id": product_id, **(given.sent if given is not None else {})}
    return await write(ctx, f"size_chart.{operation}", arguments, act)


# ── what a chart must be ─────────────────────────────────────────────────────────────────────────────────────────────


def _check(given: SizeChartInput) -> None:
    """Refuses a chart that could not be compared with a body, naming every fault."""
    faults = [
        fault for place, item in enumerate(given.entries) for fault in _entry_faults(given, item, f"/entries/{place}")
    ]
    faults += _shape_faults(given.entries)
    if faults:
        raise Invalid(*faults)


def _entry_faults(given: SizeChartInput, item: SizeChartEntryInput, at: str) -> Iterable[Fault]:
    if item.lower > item.upper:
        yield Fault(f"{at}/upper", f"must not be below lower ({item.lower})", "out_of_range")
    eases = (item.ease_lower, item.ease_upper)
    if given.measures == "garment" and None in eases:
        yield Fault(
            f"{at}/ease_lower", "ease_lower and ease_upper are needed where the chart measures garments", "missing"
        )
    if given.measures == "body" and eases != (None, None):
        yield Fault(f"{at}/ease_lower", "a chart of bodies has no ease; leave it out", "unexpected")
    if item.ease_lower is not None and item.ease_upper is not None and item.ease_lower > item.ease_upper:
        yield Fault(f"{at}/ease_upper", f"must not be below ease_lower ({item.ease_lower})", "out_of_range")
    known, bodies = DIMENSIONS[item.dimension], body_range(item.lower, item.upper, *eases)
    if any(not known.least <= in_millimetres(length, given.unit) <= known.most for length in bodies):
        told = f"is made for bodies of {bodies[0]} to {bodies[1]} {given.unit}, which lies outside {known.least} to {known.most} mm"
        yield Fault(f"{at}/lower", f"{told}: are the unit and the ease right?", "out_of_range")


def _shape_faults(entries: Sequence[SizeChartEntryInput]) -> Iterable[Fault]:
    """Each size has each dimension once."""
    dimensions = list(dict.fromkeys(item.dimension for item in entries))
    seen: set[tuple[str, str]] = set()
    for place, item in enumerate(entries):
        if (item.size, item.dimension) in seen:
            yield Fault(
                f"/entries/{place}", f"gives {item.dimension.upper()} of {item.size} a second time", "duplicate"
            )
        seen.add((item.size, item.dimension))
    for size in dict.fromkeys(item.size for item in entries):
        lacking = [name.upper() for name in dimensions if (size, name) not in seen]
        if lacking:
            yield Fault("/entries", f"lacks {', '.join(lacking)} of {size}: each size has each dimension", "missing")
