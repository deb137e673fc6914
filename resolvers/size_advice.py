"""Which size of a product fits a creator: the rows behind `resolvers.sizing`, and its answer as surfaces show it."""

from asyncio import gather
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from db.measures import UNITS
from db.relations import (
    ADVICE_KNOWN_SIZES,
    ADVICE_MEASUREMENTS,
    ADVICE_PREFERENCES,
    CHART_ENTRIES,
    IN_STOCK,
    PRODUCT_SIZE_CHART,
    PRODUCT_STOREFRONT,
    PRODUCT_VARIANTS,
    USER_TWIN,
)
from db.tables import FitPreference, KnownSize, Measurement, Product, SizeChart, SizeChartEntry, Variant
from resolvers import sizing
from resolvers.context import Context
from resolvers.size_charts import body_range

_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class DimensionFit:
    """One dimension in the chart's unit. `body` and `difference` None: the client may not read measurements."""

    dimension: str
    verdict: str
    unit: str
    lower: Decimal
    upper: Decimal
    body: Decimal | None
    difference: Decimal | None


@dataclass(frozen=True)
class SizeFit:
    """One size of a product."""

    product_id: str
    size: str
    dimensions: list[DimensionFit]


@dataclass(frozen=True)
class SizeAdvice:
    """What to take."""

    best: SizeFit
    runner_up: SizeFit | None
    confidence: Decimal


async def advise(ctx: Context, product: Product, *, twin_of: str) -> SizeAdvice | None:
    """Which size fits; None where the viewer may not ask, there is no chart, or nothing to hold it to."""
    ctx.require("preview:twin")
    if twin_of != ctx.viewer.user_id:
        return None
    chart = await ctx.loaders.one(PRODUCT_SIZE_CHART, product.id)
    if chart is None:
        return None
    found: Any = await gather(
        ctx.loaders.all(CHART_ENTRIES, product.id),
        ctx.loaders.all(ADVICE_MEASUREMENTS, twin_of),
        ctx.loaders.all(ADVICE_PREFERENCES, twin_of),
        ctx.loaders.all(ADVICE_KNOWN_SIZES, twin_of),
        _brand(ctx, product, chart),
        ctx.loaders.one(USER_TWIN, twin_of),
    )
    entries, measurements, preferences, known, brand, twin = found
    sizes, body = _sizes(entries), _body(ctx, measurements, chart.unit)
    advice = sizing.advise(
        sizes, body, fit=_fit(preferences, product), known=_known(known, brand, product, sizes)
    )  # fmt: skip
    return None if advice is None else _shown(advice, product, chart, numbers=twin is not None)


async def variants_of(ctx: Context, fit: SizeFit) -> list[Variant]:
    """The variants of this size, by their option `size`."""
    rows = await ctx.loaders.all(PRODUCT_VARIANTS, fit.product_id)
    return [row for row in rows if any(_is_size(option, fit.size) for option in row.options)]


async def in_stock(ctx: Context, fit: SizeFit) -> bool:
    """Whether one of them can be bought now."""
    return any(await gather(*(ctx.loaders.aggregate(IN_STOCK, row.id) for row in await variants_of(ctx, fit))))


def _is_size(option: dict[str, str], label: str) -> bool:
    return option["name"].casefold() == "size" and _same(option["value"], label)


def _same(one: str | None, two: str | None) -> bool:
    return (one or "").strip().casefold() == (two or "").strip().casefold()


async def _brand(ctx: Context, product: Product, chart: SizeChart) -> str:
    """The chart's, or its storefront's name."""
    if chart.brand is not None:
        return chart.brand
    storefront = await ctx.loaders.one(PRODUCT_STOREFRONT, product.storefront_id)
    return storefront.name if storefront is not None else ""


# ── from rows to the formula and back; all lengths in the chart's unit ───────────────────────────────────────────────


def _sizes(entries: Iterable[SizeChartEntry]) -> list[sizing.Size]:
    """The chart's sizes in its order, each with the bodies it is made for."""
    ranges: dict[str, dict[str, sizing.Range]] = {}
    for row in entries:
        lower, upper = body_range(row.lower, row.upper, row.ease_lower, row.ease_upper)
        ranges.setdefault(row.size, {})[row.dimension] = sizing.Range(Fraction(lower), Fraction(upper))
    first = list(next(iter(ranges.values())))
    return [sizing.Size(label, {name: told[name] for name in first}) for label, told in ranges.items()]


def _body(ctx: Context, rows: Iterable[Measurement], unit: str) -> dict[str, sizing.Measured]:
    now = ctx.clock()
    return {
        row.dimension: sizing.Measured(
            Fraction(row.millimetres) / Fraction(UNITS[unit]), float(row.confidence),
            (now - row.measured_at).total_seconds() / 86_400,
        )
        for row in rows
    }  # fmt: skip


def _fit(rows: Sequence[FitPreference], product: Product) -> sizing.Fit:
    """The preference for the product's category, or for every other."""
    own = [row for row in rows if row.category is not None and _same(row.category, product.category)]
    found: Any = next((row.fit for row in [*own, *(row for row in rows if row.category is None)]), "regular")
    return found  # type: ignore[no-any-return]


def _known(
    rows: Sequence[KnownSize], brand: str, product: Product, sizes: Iterable[sizing.Size]
) -> str | None:  # fmt: skip
    """The chart's label of the size known to fit in this category of the brand, or in anything of the brand's."""
    of_brand = [row for row in rows if brand and _same(row.brand, brand)]
    own = [row for row in of_brand if row.category is not None and _same(row.category, product.category)]
    known = next((row.size for row in [*own, *(row for row in of_brand if row.category is None)]), None)
    return next((size.label for size in sizes if known is not None and _same(size.label, known)), None)


def _shown(advice: sizing.Advice, product: Product, chart: SizeChart, *, numbers: bool) -> SizeAdvice:
    def size(fit: sizing.SizeFit) -> SizeFit:
        return SizeFit(product.id, fit.label, [_dimension(told, chart.unit, numbers) for told in fit.dimensions])

    runner_up = None if advice.runner_up is None else size(advice.runner_up)
    return SizeAdvice(size(advice.best), runner_up, Decimal(str(advice.confidence)).quantize(_HUNDREDTH))


def _dimension(told: sizing.DimensionFit, unit: str, numbers: bool) -> DimensionFit:
    return DimensionFit(
        told.dimension, told.verdict, unit, _decimal(told.range.lower), _decimal(told.range.upper),
        _decimal(told.body) if numbers else None, _decimal(told.difference) if numbers else None,
    )  # fmt: skip


def _decimal(length: Fraction) -> Decimal:
    return (Decimal(length.numerator) / Decimal(length.denominator)).quantize(_HUNDREDTH)
