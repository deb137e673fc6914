"""GraphQL: how sellers give their products size charts, of the twin preview."""

from decimal import Decimal

import strawberry
from strawberry import UNSET, Info

from db.relations import PRODUCT
from resolvers import size_charts
from resolvers.context import Context
from resolvers.size_charts import SizeChartInput
from resolvers.writes import Written
from schema.mutations import as_input, run
from schema.products import ProductPayload
from schema.size_charts import ChartMeasures
from schema.twins import TWIN_PREVIEW, BodyDimension, LengthUnit


@strawberry.input(description="One dimension of one size, in the chart's unit.", directives=[TWIN_PREVIEW])
class SizeChartEntryInput:
    """Ease is garment less body: needed of garments, below zero where a fabric stretches."""

    size: str
    dimension: BodyDimension
    lower: Decimal
    upper: Decimal
    ease_lower: Decimal | None = UNSET
    ease_upper: Decimal | None = UNSET


@strawberry.input(
    description="A product's whole chart, from its smallest size on; each size has each dimension, the first counts most.",
    directives=[TWIN_PREVIEW],
)
class ProductSizeChartSetInput:
    """At most 500 entries."""

    product_id: strawberry.ID
    measures: ChartMeasures
    unit: LengthUnit
    brand: str | None = strawberry.field(
        default=UNSET, description="Whose sizes these are; left out: the storefront's, by its name."
    )
    entries: list[SizeChartEntryInput]


@strawberry.input(description="Whose chart to remove.", directives=[TWIN_PREVIEW])
class ProductSizeChartRemoveInput:
    """The product's id."""

    product_id: strawberry.ID


@strawberry.type
class SizeChartMutations:
    """For owners."""

    @strawberry.mutation(
        description="Give a product a size chart in the place of any other.", directives=[TWIN_PREVIEW]
    )
    async def product_size_chart_set(self, info: Info, input: ProductSizeChartSetInput) -> ProductPayload:  # noqa: A002
        """All or nothing."""

        async def act(ctx: Context) -> Written:
            return await size_charts.set_size_chart(ctx, given=as_input(SizeChartInput, input))

        return await run(info, ProductPayload, "product", PRODUCT, act)

    @strawberry.mutation(description="Take a product's size chart away.", directives=[TWIN_PREVIEW])
    async def product_size_chart_remove(self, info: Info, input: ProductSizeChartRemoveInput) -> ProductPayload:  # noqa: A002
        """Where there is none, nothing happens."""

        async def act(ctx: Context) -> Written:
            return await size_charts.remove_size_chart(ctx, product_id=input.product_id)

        return await run(info, ProductPayload, "product", PRODUCT, act)
