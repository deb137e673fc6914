"""GraphQL: affiliate links."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET, Info

from db import tables
from db.relations import LINK_AFFILIATE, LINK_PRODUCT
from resolvers.affiliates import conversion_rate, link_url
from schema.fields import computed, context_of, relation
from schema.money import Money, money
from schema.node import Node, shows
from schema.products import Product
from schema.users import User


def _url(root: Any, info: Info) -> str:
    return link_url(context_of(info).platform, root.code)


def _conversion_rate(root: Any) -> Decimal:
    return conversion_rate(root)


@strawberry.type(description="A link whose clicks and sales count for its affiliate.")
class AffiliateLink(Node):
    """Resolves from a row of `affiliate_links`."""

    is_type_of = shows(tables.AffiliateLink)
    code: str
    url: str = computed(_url, "({public_url} || '/a/' || {t}.code)")
    destination_url: str
    product: Product | None = relation(LINK_PRODUCT)
    affiliate: User = relation(LINK_AFFILIATE)
    clicks: int
    conversions: int
    conversion_rate: Decimal = computed(
        _conversion_rate,
        "case when {t}.clicks = 0 then '0.0000' else round({t}.conversions::numeric / {t}.clicks, 4)::text end",
        description="Conversions by click, to four decimals.",
    )
    revenue: Money = money("revenue", currency="currency")
    commission: Money = money("commission", currency="currency")
    created_at: datetime


@strawberry.input(description="Which affiliate links.")
class AffiliateLinkFilter:
    """What is left out does not narrow the list."""

    product_id: strawberry.ID | None = UNSET
    storefront_id: strawberry.ID | None = UNSET
    code: str | None = UNSET
