"""Orders: what was bought, which holds stock from the moment it is placed."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Text
from sqlmodel import Field

from db.tables.base import (
    Decimal,
    Table,
    amount,
    currency_check,
    datetime,
    id_field,
    moment,
    one_of,
    optional_text,
    ref,
    text,
)


class Order(Table, table=True):
    """A purchase in one storefront. `total_amount` is the sum of its lines."""

    __tablename__ = "orders"
    __table_args__ = (
        one_of("status", "created", "fulfilled"),
        currency_check("total_currency"),
        CheckConstraint("(status = 'fulfilled') = (fulfilled_at is not null)", name="fulfilled"),
        Index("ix_orders_storefront_id_id", "storefront_id", "id"),
        Index("ix_orders_owner_id_id", "owner_id", "id"),
        Index(
            "uq_orders_external_ref", "storefront_id", "external_ref", unique=True,
            postgresql_where="external_ref is not null",
        ),
    )  # fmt: skip
    id: str = id_field("ord")
    storefront_id: str = ref("storefronts.id")
    owner_id: str = ref("users.id")
    status: str = text("created")
    total_amount: Decimal = amount()
    total_currency: str = text()
    click_id: str | None = ref("clicks.id", nullable=True, ondelete="SET NULL")
    external_ref: str | None = optional_text()
    created_at: datetime = moment()
    updated_at: datetime = moment()
    fulfilled_at: datetime | None = moment(nullable=True)


class OrderLine(Table, table=True):
    """One variant in an order, with the price at which it was bought."""

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_order_lines_variant_id", "variant_id"),
    )
    order_id: str = ref("orders.id", primary_key=True)
    line: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    variant_id: str = Field(sa_column=Column(Text, nullable=False))
    sku: str = text()
    title: str = text()
    quantity: int = Field(sa_column=Column(Integer, nullable=False))
    price_amount: Decimal = amount()
    price_currency: str = text()
