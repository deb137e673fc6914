"""Size charts: for which bodies a seller makes each size of a product."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, UniqueConstraint
from sqlmodel import Field

from db.measures import DIMENSIONS, UNITS
from db.tables.base import Decimal, Table, amount, datetime, id_field, moment, one_of, optional_text, ref, text


class SizeChart(Table, table=True):
    """One product's. Its numbers are of the `body` that a size fits, or of the `garment` itself."""

    __tablename__ = "size_charts"
    __table_args__ = (one_of("measures", "body", "garment"), one_of("unit", *UNITS))
    product_id: str = ref("products.id", primary_key=True)
    measures: str = text()
    unit: str = text()
    brand: str | None = optional_text()
    updated_at: datetime = moment()


class SizeChartEntry(Table, table=True):
    """One dimension of one size, in the chart's unit; of garments with the ease they are made with: garment less body."""

    __tablename__ = "size_chart_entries"
    __table_args__ = (
        one_of("dimension", *DIMENSIONS),
        CheckConstraint("lower <= upper", name="range"),
        CheckConstraint("ease_lower <= ease_upper", name="ease"),
        UniqueConstraint("product_id", "size", "dimension"),
        Index("ix_size_chart_entries_product_id_position_id", "product_id", "position", "id"),
    )
    id: str = id_field("sce")
    product_id: str = ref("size_charts.product_id")
    position: int = Field(sa_column=Column(Integer, nullable=False))
    size: str = text()
    dimension: str = text()
    lower: Decimal = amount()
    upper: Decimal = amount()
    ease_lower: Decimal | None = amount(nullable=True)
    ease_upper: Decimal | None = amount(nullable=True)
