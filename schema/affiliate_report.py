"""GraphQL: what affiliate links brought in a time."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry import UNSET, Info

from resolvers.affiliate_report import Bound, report
from schema.fields import context_of
from schema.money import Money


@strawberry.enum(name="AffiliateReportGroup", description="What a report's rows stand for.")
class Group(Enum):
    """In lower case in REST, in upper case here."""

    DAY = "day"
    LINK = "link"
    PRODUCT = "product"
    STOREFRONT = "storefront"


@strawberry.enum(
    name="AffiliateReportRole", description="AFFILIATE: your own links. STOREFRONT: all to your storefronts."
)
class Role(Enum):
    """In lower case in REST, in upper case here."""

    AFFILIATE = "affiliate"
    STOREFRONT = "storefront"


@strawberry.type(description="What one day, link, product or storefront brought, in one currency.")
class AffiliateReportRow:
    """Resolves from a row of the report; fields that the grouping has not are null."""

    day: date | None
    link_id: strawberry.ID | None
    code: str | None
    product_id: strawberry.ID | None
    storefront_id: strawberry.ID | None
    clicks: int
    conversions: int
    conversion_rate: Decimal
    revenue: Money
    commission: Money


@strawberry.type(description="Clicks and sales from a time up to, not including, another.")
class AffiliateReport:
    """Resolves from the report."""

    from_: datetime = strawberry.field(name="from")
    to: datetime
    group_by: Group
    rows: list[AffiliateReportRow]


def _rows(found: Any) -> list[AffiliateReportRow]:
    return [AffiliateReportRow(**{name: getattr(row, name) for name in _FIELDS}) for row in found]


async def affiliate_report(
    info: Info,
    from_: Annotated[datetime | None, strawberry.argument(name="from")] = UNSET,
    to: datetime | None = UNSET,
    group_by: Group = Group.DAY,
    role: Role = Role.AFFILIATE,
) -> AffiliateReport:
    """`GET /v1/affiliates/report`."""
    made = await report(
        context_of(info), group_by=group_by.value, role=role.value,
        start=Bound(from_) if from_ else None, end=Bound(to) if to else None,
    )  # fmt: skip
    return AffiliateReport(from_=made.from_, to=made.to, group_by=Group(made.group_by), rows=_rows(made.data))


_FIELDS = tuple(AffiliateReportRow.__dataclass_fields__)
