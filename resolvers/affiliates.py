"""Affiliate links: making them, reading them, and what they show."""

import secrets
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, WithJsonSchema
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import select

from db.bodies.affiliates import AffiliateLinkBody
from db.ids import new_id
from db.money import round_to
from db.relations import AFFILIATE_LINK
from db.sessions import WriteSession
from db.tables import AffiliateLink, Product, Storefront
from resolvers import destinations
from resolvers.context import Context
from resolvers.errors import Conflict, Fault, Invalid, NotFound
from resolvers.inputs import ABSENT, Amount, IdOf, Input, Metadata, WebAddress, exactly_one
from resolvers.platform import Platform
from resolvers.reads import get
from resolvers.writes import Written, write

DEFAULT_RATE: Final = Decimal("0.10")
_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"  # nothing that reads like something else
_FIRST_CURRENCY: Final = "EUR"  # until a first sale says otherwise


def _share(value: Decimal) -> Decimal:
    if value > 1 or value != value.quantize(Decimal("0.0001")):
        raise ValueError("must be between 0 and 1, with at most 4 decimals")
    return value.quantize(Decimal("0.0001"))


Rate = Annotated[
    Amount,
    AfterValidator(_share),
    WithJsonSchema({"type": "string", "pattern": r"^(0(\.\d{1,4})?|1(\.0{1,4})?)$", "example": "0.10"}),
]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{3,64}$", examples=["autumn-coat"])]


class AffiliateLinkInput(Input):
    """A link to a product, or to any web address. Without a code it gets a short one."""

    model_config = exactly_one("product_id", "destination_url")

    product_id: IdOf("prd") = ABSENT  # type: ignore[valid-type]
    destination_url: Annotated[WebAddress, AfterValidator(destinations.web_address)] = ABSENT
    code: Code = ABSENT
    commission_rate: Rate = DEFAULT_RATE
    metadata: Metadata = ABSENT


def link_url(platform: Platform, code: str) -> str:
    """The address that is shared; it counts the click and goes on to the destination."""
    return f"{platform.public_url}/a/{code}"


def rate(conversions: int, clicks: int) -> Decimal:
    """Conversions by click, to four decimals; zero where nobody clicked."""
    if clicks == 0:
        return Decimal("0.0000")
    return (Decimal(conversions) / clicks).quantize(Decimal("0.0001"), rounding="ROUND_HALF_UP")


def conversion_rate(row: AffiliateLink) -> Decimal:
    """A link's conversions by click."""
    return rate(row.conversions, row.clicks)


def link_body(platform: Platform, row: AffiliateLink) -> AffiliateLinkBody:
    """The link as REST tells it."""
    return AffiliateLinkBody.of(row, url=link_url(platform, row.code), conversion_rate=conversion_rate(row))


async def get_link(ctx: Context, *, id: str) -> AffiliateLink:  # noqa: A002
    """The link with this id: the viewer's own, or one to a product of the viewer's storefronts."""
    ctx.require("affiliates:read")
    return await get(ctx, AFFILIATE_LINK, id)


async def create_link(ctx: Context, *, given: AffiliateLinkInput) -> Written:
    """A new link of the viewer's own."""
    ctx.require("affiliates:write")
    if (given.product_id is None) == (given.destination_url is None):
        raise Invalid(Fault("", "needs either product_id or destination_url"))
    return await write(ctx, "affiliate_link.create", given.sent, partial(_create, ctx, given))


async def _create(ctx: Context, given: AffiliateLinkInput, session: WriteSession) -> Written:
    place = await _place(ctx, session, given)
    nothing = round_to(Decimal(0), place["currency"])
    values = {
        **place, "affiliate_id": ctx.viewer.user_id, "commission_rate": given.commission_rate,
        "extra": given.metadata or {}, "revenue_amount": nothing, "commission_amount": nothing,
        "created_at": ctx.clock(),
    }  # fmt: skip
    row = await _insert(session, given.code, values)
    return Written(link_body(ctx.platform, row).as_json(), created=True)


async def _place(ctx: Context, session: WriteSession, given: AffiliateLinkInput) -> dict[str, Any]:
    """Where the link leads, and whose sale it would be."""
    if given.product_id is None:
        return {"destination_url": given.destination_url, "currency": _FIRST_CURRENCY}
    product, storefront = await _seen_product(ctx, session, given.product_id)
    return {
        "destination_url": destinations.of_product(product, storefront, ctx.platform.shop_url),
        "currency": product.price_currency, "product_id": product.id, "storefront_id": storefront.id,
        "storefront_owner_id": storefront.owner_id,
    }  # fmt: skip


async def _seen_product(ctx: Context, session: WriteSession, id: str) -> tuple[Product, Storefront]:  # noqa: A002
    query = select(Product, Storefront).join(Storefront).where(Product.id == id)
    found = (await session.exec(query)).first()
    if found is None:
        raise NotFound("product", id)
    product, storefront = found
    own = ctx.viewer.may_write_storefront(storefront.id, storefront.owner_id)
    if not (product.reach >= 1 or own or ctx.viewer.sight.reads_all):
        raise NotFound("product", id)
    return product, storefront


async def _insert(session: WriteSession, code: str | None, values: dict[str, Any]) -> AffiliateLink:
    """The link's row. A code that was asked for is had or refused; one of ours is thrown anew until it is free."""
    while True:
        row = {"id": new_id("aff"), "code": code or "".join(secrets.choice(_LETTERS) for _ in range(8)), **values}
        statement = insert(AffiliateLink).values(row).on_conflict_do_nothing(index_elements=["code"])
        made = (await session.exec(statement.returning(AffiliateLink))).scalars().first()
        if made is not None:
            link: AffiliateLink = made
            return link
        if code is not None:
            raise Conflict(f"The code {code} is taken; choose another.", code="code_taken", pointer="/code")
