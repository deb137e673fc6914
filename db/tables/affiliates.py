"""Affiliate links, the clicks on them and the conversions that follow."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, Numeric, Text, UniqueConstraint
from sqlmodel import Field

from db.tables.base import (
    Decimal,
    Table,
    currency_check,
    datetime,
    id_field,
    json,
    moment,
    not_negative,
    ref,
    text,
)
from db.tables.base import (
    amount as money_amount,
)


class AffiliateLink(Table, table=True):
    """A link whose clicks and sales count for its affiliate. The counters are live: each click or sale moves them."""

    __tablename__ = "affiliate_links"
    __table_args__ = (
        CheckConstraint("code ~ '^[A-Za-z0-9_-]{3,64}$'", name="code"),
        CheckConstraint("commission_rate between 0 and 1", name="commission_rate"),
        CheckConstraint("(product_id is null) = (storefront_id is null)", name="product_has_storefront"),
        currency_check("currency"),
        *not_negative("clicks", "conversions"),
        Index("ix_affiliate_links_affiliate_id_id", "affiliate_id", "id"),
        Index("ix_affiliate_links_storefront_owner_id_id", "storefront_owner_id", "id"),
        Index("ix_affiliate_links_product_id_id", "product_id", "id"),
    )
    id: str = id_field("aff")
    code: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    affiliate_id: str = ref("users.id")
    product_id: str | None = ref("products.id", nullable=True)
    storefront_id: str | None = ref("storefronts.id", nullable=True)
    storefront_owner_id: str | None = ref("users.id", nullable=True)
    destination_url: str = text()
    commission_rate: Decimal = Field(sa_column=Column(Numeric(5, 4), nullable=False))
    currency: str = text("EUR")
    extra: dict[str, Any] = json()
    clicks: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    conversions: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    revenue_amount: Decimal = money_amount()
    commission_amount: Decimal = money_amount()
    created_at: datetime = moment()


class Click(Table, table=True):
    """One visitor's click on a link within one hour. The visitor is a keyed hash of address and user agent, never the address."""

    __tablename__ = "clicks"
    __table_args__ = (
        UniqueConstraint("link_id", "visitor", "hour"),
        Index("ix_clicks_link_id_occurred_at", "link_id", "occurred_at"),
    )
    id: str = id_field("clk")
    link_id: str = ref("affiliate_links.id")
    visitor: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hour: datetime = moment()
    occurred_at: datetime = moment()


class Conversion(Table, table=True):
    """A sale that counts for a link. `scope` is where `order_ref` is unique: the storefront, or the affiliate where there is none."""

    __tablename__ = "conversions"
    __table_args__ = (
        UniqueConstraint("scope", "order_ref"),
        currency_check("currency"),
        *not_negative("amount", "commission_amount"),
        Index("ix_conversions_link_id_occurred_at", "link_id", "occurred_at"),
    )
    id: str = id_field("cnv")
    link_id: str = ref("affiliate_links.id")
    click_id: str | None = ref("clicks.id", nullable=True, ondelete="SET NULL")
    scope: str = Field(sa_column=Column(Text, nullable=False))
    order_ref: str = text()
    amount: Decimal = money_amount()
    commission_amount: Decimal = money_amount()
    currency: str = text()
    occurred_at: datetime = moment()
    created_at: datetime = moment()
