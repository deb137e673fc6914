"""GraphQL: which size fits, of the twin preview."""

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import ID, Info

from resolvers import size_advice
from schema.fields import context_of
from schema.twins import TWIN_PREVIEW, BodyDimension, LengthUnit

if TYPE_CHECKING:
    from schema.products import ProductVariant


@strawberry.enum(
    description="How a dimension sits: IDEAL in the size's range, SNUG and LOOSE up to half a size beyond it. "
    "Of lengths, tight is short and loose is long.",
    directives=[TWIN_PREVIEW],
)
class FitVerdict(Enum):
    """Kept in lower case, shown in upper case."""

    TOO_TIGHT = "too_tight"
    SNUG = "snug"
    IDEAL = "ideal"
    LOOSE = "loose"
    TOO_LOOSE = "too_loose"


@strawberry.type(description="How one dimension of a size sits.", directives=[TWIN_PREVIEW])
class DimensionFit:
    """Resolves from `resolvers.size_advice.DimensionFit`."""

    dimension: BodyDimension
    verdict: FitVerdict
    unit: LengthUnit
    lower: Decimal = strawberry.field(description="The smallest body that the size is made for.")
    upper: Decimal = strawberry.field(description="The largest.")
    body: Decimal | None = strawberry.field(description="Null without the consent MEASUREMENTS.")
    difference: Decimal | None = strawberry.field(
        description="By how much the body is larger than the range, or smaller (negative); null without MEASUREMENTS."
    )


async def _variants(root: Any, info: Info):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the class says the type
    return await size_advice.variants_of(context_of(info), root)


async def _in_stock(root: Any, info: Info):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return await size_advice.in_stock(context_of(info), root)


@strawberry.type(description="How one size sits.", directives=[TWIN_PREVIEW])
class SizeFit:
    """Resolves from `resolvers.size_advice.SizeFit`."""

    size: str
    variants: list[Annotated["ProductVariant", strawberry.lazy("schema.products")]] = strawberry.field(
        resolver=_variants, description="Those whose option `size` is this one."
    )
    in_stock: bool = strawberry.field(resolver=_in_stock, description="Whether one of them can be bought now.")
    dimensions: list[DimensionFit] = strawberry.field(description="Those that are both in the chart and measured.")


@strawberry.type(description="Which size to take.", directives=[TWIN_PREVIEW])
class SizeAdvice:
    """Resolves from `resolvers.size_advice.SizeAdvice`."""

    best: SizeFit
    runner_up: SizeFit | None
    confidence: Decimal = strawberry.field(description="From 0 to 1.")


async def size_advice_for(root: Any, info: Info, twin_of: ID):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """The field of a product."""
    return await size_advice.advise(context_of(info), root, twin_of=twin_of)
