"""Sales that count for affiliate links: each order once, with the commission that the link's rate gives."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from db.bodies.affiliates import ConversionBody
from db.ids import new_id
from db.money import round_to
from db.sessions import WriteSession
from db.tables import AffiliateLink, Click, Conversion, Product
from resolvers.clicks import audience
from resolvers.context import Context
from resolvers.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from resolvers.inputs import ABSENT, IdOf, Input, Line, MomentInput, MoneyInput, exactly_one
from resolvers.writes import Written, write
from webhooks.outbox import emit

_CLOCKS_DIFFER = timedelta(minutes=5)


class ConversionInput(Input):
    """A sale, by the click that led to it or by the link. `order_ref` is the order's number where it was sold."""

    model_config = exactly_one("click_id", "link_id")

    click_id: IdOf("clk") = ABSENT  # type: ignore[valid-type]
    link_id: IdOf("aff") = ABSENT  # type: ignore[valid-type]
    order_ref: Line
    amount: MoneyInput
    occurred_at: MomentInput = ABSENT


@dataclass(frozen=True)
class Sale:
    """What is to be counted. `pointer`: the input's place that is at fault where the currency does not fit."""

    link_id: str
    click_id: str | None
    order_ref: str
    amount: Decimal
    currency: str
    occurred_at: datetime
    pointer: str = "/amount/currency"


async def record_conversion(ctx: Context, *, given: ConversionInput) -> Written:
    """Counts a sale for a link, once for each `order_ref`; a repeated one gets the first answer and changes nothing."""
    ctx.require("affiliates:write")
    faults = []
    if (given.click_id is None) == (given.link_id is None):
        faults.append(Fault("", "needs either click_id or link_id"))
    if given.occurred_at is not None and given.occurred_at > ctx.clock() + _CLOCKS_DIFFER:
        faults.append(Fault("/occurred_at", "must not lie in the future"))
    if faults:
        raise Invalid(*faults)
    return await write(ctx, "affiliate_conversion.record", given.sent, partial(_record, ctx, given))


async def _record(ctx: Context, given: ConversionInput, session: WriteSession) -> Written:
    link = await _own_link(ctx, session, given)
    now = ctx.clock()
    moment = now if given.occurred_at is None else given.occurred_at
    sale = Sale(
        link.id, given.click_id, given.order_ref, given.amount.amount, given.amount.currency,
        moment.replace(microsecond=moment.microsecond // 1000 * 1000),
    )  # fmt: skip
    row, created = await count(session, sale, now)
    if row.link_id != link.id and not _owns_storefront(ctx, link):
        message = f"The order {row.order_ref} counts for another link already."
        raise Conflict(message, code="counted_elsewhere", pointer="/order_ref")
    return Written(ConversionBody.of(row).as_json(), created=created)


async def _own_link(ctx: Context, session: WriteSession, given: ConversionInput) -> AffiliateLink:
    """The link that is meant, for its affiliate or its storefront's owner; to others it does not exist."""
    if given.click_id is not None:
        link, noun, id_ = await link_of_click(session, given.click_id), "click", given.click_id
    else:
        link, noun, id_ = await session.get(AffiliateLink, given.link_id), "affiliate_link", given.link_id
    if link is not None and (link.affiliate_id == ctx.viewer.user_id or _owns_storefront(ctx, link)):
        return link
    if link is not None and ctx.viewer.sight.reads_all:
        raise Forbidden("Only the link's affiliate and the storefront's owner record its conversions.")
    raise NotFound(noun, id_)


def _owns_storefront(ctx: Context, link: AffiliateLink) -> bool:
    if link.storefront_id is None or link.storefront_owner_id is None:
        return False
    return ctx.viewer.may_write_storefront(link.storefront_id, link.storefront_owner_id)


async def link_of_click(session: WriteSession, click_id: str) -> AffiliateLink | None:
    """The link that was clicked."""
    query = select(AffiliateLink).join(Click, col(Click.link_id) == AffiliateLink.id).where(Click.id == click_id)
    return (await session.exec(query)).first()


async def count(session: WriteSession, sale: Sale, now: datetime) -> tuple[Conversion, bool]:
    """The conversion, and whether it is new. The link stays locked until the transaction ends."""
    query = select(AffiliateLink).where(AffiliateLink.id == sale.link_id).with_for_update(key_share=True)
    link = (await session.exec(query.execution_options(populate_existing=True))).one()
    await _check_currency(session, link, sale)
    scope = link.storefront_id or link.affiliate_id
    commission = round_to(link.commission_rate * sale.amount, sale.currency)
    values = {
        "id": new_id("cnv"), "link_id": link.id, "click_id": sale.click_id, "scope": scope,
        "order_ref": sale.order_ref, "amount": sale.amount, "commission_amount": commission,
        "currency": sale.currency, "occurred_at": sale.occurred_at, "created_at": now,
    }  # fmt: skip
    row = await _insert(session, values)
    if row is None:
        known = select(Conversion).where(Conversion.scope == scope, Conversion.order_ref == sale.order_ref)
        return (await session.exec(known)).one(), False
    _add(link, row)
    await session.flush()
    await _tell(session, link, row)
    return row, True


async def _insert(session: WriteSession, values: dict[str, Any]) -> Conversion | None:
    """The new row, or None where this order counts already: a request that is counting it right now is waited for."""
    statement = insert(Conversion).values(values).on_conflict_do_nothing(index_elements=["scope", "order_ref"])
    row: Conversion | None = (await session.exec(statement.returning(Conversion))).scalars().first()
    return row


async def _check_currency(session: WriteSession, link: AffiliateLink, sale: Sale) -> None:
    """A link counts in one currency: its product's, or where it has none that of its first sale."""
    if sale.currency == link.currency:
        return
    if link.conversions == 0:
        product = await session.get_one(Product, link.product_id) if link.product_id else None
        if product is None or product.price_currency == sale.currency:
            return
    message = f"must be {link.currency}, in which the link {link.code} counts, not {sale.currency}"
    raise Invalid(Fault(sale.pointer, message, "currency_mismatch"))


def _add(link: AffiliateLink, row: Conversion) -> None:
    if link.conversions == 0:
        link.currency = row.currency
        link.revenue_amount = link.commission_amount = round_to(Decimal(0), row.currency)
    link.conversions += 1
    link.revenue_amount += row.amount
    link.commission_amount += row.commission_amount


async def _tell(session: WriteSession, link: AffiliateLink, row: Conversion) -> None:
    await emit(
        session, type="affiliate.conversion", resource_id=link.id, audience=audience(link),
        payload=ConversionBody.of(row).as_json(), occurred_at=row.occurred_at, storefront_id=link.storefront_id,
    )  # fmt: skip
