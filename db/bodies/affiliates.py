"""Affiliate links, the clicks on them, and the sales that follow, as told to the outside."""

from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import Field

from db.bodies.base import Body, Id, Moment, Money
from db.tables import AffiliateLink, Click, Conversion


class AffiliateLinkBody(Body):
    """A link and what it has brought so far."""

    id: str = Id("aff")
    code: str
    url: str = Field(description="The address to share; it counts the click and goes on to the destination.")
    destination_url: str
    product_id: str | None
    storefront_id: str | None
    clicks: int
    conversions: int
    conversion_rate: str = Field(description="Conversions by click, to four decimals.", examples=["0.0250"])
    revenue: Money
    commission: Money
    commission_rate: str = Field(description="The share of each sale that is the affiliate's.", examples=["0.1000"])
    metadata: dict[str, Any]
    created_at: Moment

    @classmethod
    def of(cls, row: AffiliateLink, *, url: str, conversion_rate: Decimal) -> "AffiliateLinkBody":
        """From its row and what is worked out from it."""
        return cls.model_construct(
            id=row.id,
            code=row.code,
            url=url,
            destination_url=row.destination_url,
            product_id=row.product_id,
            storefront_id=row.storefront_id,
            clicks=row.clicks,
            conversions=row.conversions,
            conversion_rate=str(conversion_rate),
            revenue=Money.of(row.revenue_amount, row.currency),
            commission=Money.of(row.commission_amount, row.currency),
            commission_rate=str(row.commission_rate),
            metadata=row.extra,
            created_at=row.created_at,
        )


class ClickBody(Body):
    """A visitor's click, as events tell it. Nothing in it says who the visitor was."""

    id: str = Id("clk")
    link_id: str = Id("aff")
    code: str
    product_id: str | None
    storefront_id: str | None
    occurred_at: Moment

    @classmethod
    def of(cls, row: Click, link: AffiliateLink) -> "ClickBody":
        """From its row and its link's."""
        return cls.model_construct(
            id=row.id,
            link_id=link.id,
            code=link.code,
            product_id=link.product_id,
            storefront_id=link.storefront_id,
            occurred_at=row.occurred_at,
        )


class ConversionBody(Body):
    """A sale that counts for a link."""

    id: str = Id("cnv")
    link_id: str = Id("aff")
    click_id: str | None
    order_ref: str
    amount: Money
    commission: Money
    occurred_at: Moment
    created_at: Moment

    @classmethod
    def of(cls, row: Conversion) -> "ConversionBody":
        """From its row."""
        return cls.model_construct(
            id=row.id,
            link_id=row.link_id,
            click_id=row.click_id,
            order_ref=row.order_ref,
            amount=Money.of(row.amount, row.currency),
            commission=Money.of(row.commission_amount, row.currency),
            occurred_at=row.occurred_at,
            created_at=row.created_at,
        )


class ReportRow(Body):
    """What one day, link, product or storefront brought, in one currency. Fields that the grouping has not are null."""

    day: date | None
    link_id: str | None
    code: str | None
    product_id: str | None
    storefront_id: str | None
    clicks: int
    conversions: int
    conversion_rate: str
    revenue: Money
    commission: Money


class ReportBody(Body):
    """Clicks and sales from `from` up to, not including, `to`. Groups without either are left out."""

    from_: Moment = Field(alias="from")
    to: Moment
    group_by: str
    data: list[ReportRow]
