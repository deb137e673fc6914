"""GraphQL: sales that count for affiliate links."""

from datetime import datetime

import strawberry
from strawberry import UNSET, Info

from db import tables
from db.relations import CONVERSION, CONVERSION_LINK
from resolvers import conversions
from resolvers.context import Context
from resolvers.conversions import ConversionInput
from resolvers.writes import Written
from schema.affiliates import AffiliateLink
from schema.fields import embedded, relation
from schema.money import Money, MoneyInput, money
from schema.mutations import UserError, as_input, run
from schema.node import Node, shows


@strawberry.type(name="AffiliateConversion", description="A sale that counts for an affiliate link.")
class Conversion(Node):
    """Resolves from a row of `conversions`."""

    is_type_of = shows(tables.Conversion)
    link: AffiliateLink = relation(CONVERSION_LINK)
    click_id: strawberry.ID | None
    order_ref: str
    amount: Money = embedded(Money, columns={"amount": "amount", "currency": "currency"})
    commission: Money = money("commission", currency="currency")
    occurred_at: datetime
    created_at: datetime


@strawberry.input(description="A sale, by the click that led to it or by the link.")
class AffiliateConversionRecordInput:
    """Exactly one of `click_id` and `link_id`."""

    click_id: strawberry.ID | None = UNSET
    link_id: strawberry.ID | None = UNSET
    order_ref: str
    amount: MoneyInput
    occurred_at: datetime | None = UNSET


@strawberry.type(description="The conversion, or what was wrong.")
class AffiliateConversionPayload:
    """`created` is false where this order counted before."""

    conversion: Conversion | None
    created: bool | None
    user_errors: list[UserError]


@strawberry.type
class ConversionMutations:
    """Mirrors REST's writes."""

    @strawberry.mutation(description="Record a sale for a link, counted once for each `orderRef`.")
    async def affiliate_conversion_record(
        self, info: Info, input: AffiliateConversionRecordInput  # noqa: A002
    ) -> AffiliateConversionPayload:  # fmt: skip
        """`POST /v1/affiliates/conversions`."""

        async def act(ctx: Context) -> Written:
            return await conversions.record_conversion(ctx, given=as_input(ConversionInput, input))

        return await run(
            info, AffiliateConversionPayload, "conversion", CONVERSION, act, created=lambda written: written.created
        )
