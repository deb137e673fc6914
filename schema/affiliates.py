"""GraphQL: affiliate links."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET, Info

from db import tables
from db.relations import AFFILIATE_LINK, LINK_AFFILIATE, LINK_PRODUCT
from resolvers import affiliates
from resolvers.affiliates import AffiliateLinkInput, conversion_rate, link_url
from resolvers.context import Context
from resolvers.writes import Written
from schema.fields import computed, context_of, relation
from schema.money import Money, money
from schema.mutations import UserError, as_input, run
from schema.node import Node, shows
from schema.products import Product
from schema.scalars import JSON
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
    commission_rate: Decimal = strawberry.field(description="The share of each sale that is the affiliate's.")
    extra: JSON = strawberry.field(name="metadata")
    created_at: datetime


@strawberry.input(description="Which affiliate links.")
class AffiliateLinkFilter:
    """What is left out does not narrow the list."""

    product_id: strawberry.ID | None = UNSET
    storefront_id: strawberry.ID | None = UNSET
    code: str | None = UNSET


@strawberry.input(description="A link to a product, or to any web address. Without a code it gets a short one.")
class AffiliateLinkCreateInput:
    """Exactly one of `product_id` and `destination_url`."""

    product_id: strawberry.ID | None = UNSET
    destination_url: str | None = UNSET
    code: str | None = UNSET
    commission_rate: Decimal | None = UNSET
    metadata: JSON | None = UNSET


@strawberry.type(description="The new link, or what was wrong.")
class AffiliateLinkPayload:
    """`affiliate_link` is null where there are user errors."""

    affiliate_link: AffiliateLink | None
    user_errors: list[UserError]


@strawberry.type
class AffiliateMutations:
    """Mirrors REST's writes."""

    @strawberry.mutation(description="Create an affiliate link to a product or an address.")
    async def affiliate_link_create(self, info: Info, input: AffiliateLinkCreateInput) -> AffiliateLinkPayload:  # noqa: A002
        """`POST /v1/affiliates/links`."""

        async def act(ctx: Context) -> Written:
            return await affiliates.create_link(ctx, given=as_input(AffiliateLinkInput, input))

        return await run(info, AffiliateLinkPayload, "affiliate_link", AFFILIATE_LINK, act)
