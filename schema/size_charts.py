"""GraphQL: size charts, of the twin preview."""

from datetime import datetime
from decimal import Decimal
from enum import Enum

import strawberry

from db.relations import CHART_ENTRIES
from schema.fields import connection
from schema.paging import Connection
from schema.twins import TWIN_PREVIEW, BodyDimension, LengthUnit


@strawberry.enum(
    description="BODY: of the bodies that a size fits. GARMENT: of the garment itself, worn with ease.",
    directives=[TWIN_PREVIEW],
)
class ChartMeasures(Enum):
    """Kept in lower case, shown in upper case."""

    BODY = "body"
    GARMENT = "garment"


@strawberry.type(description="One dimension of one size, in the chart's unit.", directives=[TWIN_PREVIEW])
class SizeChartEntry:
    """Resolves from a row of `size_chart_entries`."""

    id: strawberry.ID
    size: str
    dimension: BodyDimension
    lower: Decimal
    upper: Decimal
    ease_lower: Decimal | None = strawberry.field(description="Garment less body, at least; null in a chart of bodies.")
    ease_upper: Decimal | None = strawberry.field(description="Garment less body, at most; null in a chart of bodies.")


@strawberry.type(description="For which bodies each size of a product is made.", directives=[TWIN_PREVIEW])
class SizeChart:
    """Resolves from a row of `size_charts`."""

    measures: ChartMeasures
    unit: LengthUnit
    brand: str | None = strawberry.field(description="Whose sizes these are; null: the storefront's, by its name.")
    entries: Connection[SizeChartEntry] = connection(CHART_ENTRIES, description="In the seller's order.")
    updated_at: datetime
