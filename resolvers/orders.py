"""Orders: reading them, placing them against stock, fulfilling them."""

from functools import partial
from typing import Annotated

from pydantic import Field
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from db.bodies.orders import OrderBody
from db.ids import new_id
from db.relations import ORDER, ORDER_LINES
from db.sessions import WriteSession
from db.tables import AffiliateLink, Order, OrderLine, Storefront
from resolvers import conversions, order_lines
from resolvers.context import Context
from resolvers.conversions import Sale
from resolvers.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from resolvers.inputs import ABSENT, IdOf, Input, Line, Sku, exactly_one
from resolvers.order_lines import MOST_LINES, Wanted
from resolvers.reads import check_id, get, page_args
from resolvers.storefronts import own_storefront
from resolvers.writes import Written, write
from webhooks.outbox import Happening, emit_all


class OrderLineInput(Input):
    """Pieces of one variant, named by `variant_id` or by `sku`."""

    model_config = exactly_one("variant_id", "sku")

    variant_id: IdOf("var") = ABSENT  # type: ignore[valid-type]
    sku: Sku = ABSENT
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]


class OrderInput(Input):
    """A purchase in one storefront of the caller's own.

    `click_id`: the click on an affiliate link that led to it; the link is credited. `external_ref`: the order's number
    in the shop's own system, used once in a storefront.
    """

    storefront_id: IdOf("sf")  # type: ignore[valid-type]
    lines: Annotated[list[OrderLineInput], Field(min_length=1, max_length=MOST_LINES)]
    click_id: IdOf("clk") = ABSENT  # type: ignore[valid-type]
    external_ref: Line = ABSENT


async def get_order(ctx: Context, *, id: str) -> Order:  # noqa: A002
    """The order with this id."""
    ctx.require("orders:read")
    return await get(ctx, ORDER, id)


async def order_body(ctx: Context, row: Order) -> OrderBody:
    """The order as REST tells it."""
    lines = await ctx.loaders.page(ORDER_LINES, row.id, page_args(ORDER_LINES, first=MOST_LINES))
    return OrderBody.of(row, lines.rows)


async def create_order(ctx: Context, *, given: OrderInput) -> Written:
    """Places an order: every line's pieces are reserved, or none and Conflict names the line that lacks them."""
    ctx.require("orders:write")
    order_lines.check_shape(given.lines)
    return await write(ctx, "order.create", given.sent, partial(_create, ctx, given))


async def _create(ctx: Context, given: OrderInput, session: WriteSession) -> Written:
    storefront = await own_storefront(ctx, session, given.storefront_id, shared=True)
    link = await _credited(ctx, session, storefront, given.click_id)
    wanted = await order_lines.find(session, storefront, given.lines)
    await order_lines.reserve(session, wanted, ctx.clock())
    await _check_new(session, storefront, given.external_ref)
    order, lines = await _place(ctx, session, storefront, given, wanted)
    if link is not None:
        await _credit(session, link, order)
    body = OrderBody.of(order, lines).as_json()
    await emit_all(session, [Happening("order.created", order.id, [order.owner_id], body, order.created_at)])
    return Written(body, created=True)


async def _credited(
    ctx: Context, session: WriteSession, storefront: Storefront, click_id: str | None
) -> AffiliateLink | None:
    """The link whose click led here: one to this storefront, or one of the caller's own to any address."""
    if click_id is None:
        return None
    link = await conversions.link_of_click(session, click_id)
    here = link is not None and link.storefront_id == storefront.id
    own = link is not None and link.storefront_id is None and link.affiliate_id == ctx.viewer.user_id
    if not (here or own):
        message = f"there is no click {click_id} on a link to this storefront"
        raise Invalid(Fault("/click_id", message, "not_found"))
    return link


async def _credit(session: WriteSession, link: AffiliateLink, order: Order) -> None:
    sale = Sale(
        link.id, order.click_id, order.id, order.total_amount, order.total_currency, order.created_at,
        pointer="/click_id",
    )  # fmt: skip
    await conversions.count(session, sale, order.created_at)


async def _check_new(session: WriteSession, storefront: Storefront, external_ref: str | None) -> None:
    if external_ref is None:
        return
    query = select(Order.id).where(Order.storefront_id == storefront.id, Order.external_ref == external_ref)
    taken = (await session.exec(query)).first()
    if taken is not None:
        raise _duplicate(f"The order {taken} of this storefront has the external_ref {external_ref} already.")


def _duplicate(message: str) -> Conflict:
    return Conflict(message, code="duplicate_external_ref", pointer="/external_ref")


async def _place(
    ctx: Context, session: WriteSession, storefront: Storefront, given: OrderInput, wanted: list[Wanted]
) -> tuple[Order, list[OrderLine]]:
    total, now = order_lines.total(wanted), ctx.clock()
    order = Order(
        id=new_id("ord"), storefront_id=storefront.id, owner_id=storefront.owner_id, total_amount=total.amount,
        total_currency=total.currency, click_id=given.click_id, external_ref=given.external_ref,
        created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(order)
    try:
        await session.flush()
    except IntegrityError:  # another request placed it while this one was looking
        raise _duplicate(f"An order with the external_ref {given.external_ref} was placed just now.") from None
    lines = [item.line(order.id, place) for place, item in enumerate(wanted)]
    session.add_all(lines)
    await session.flush()
    return order, lines


async def fulfill_order(ctx: Context, *, id: str) -> Written:  # noqa: A002
    """Lets the reserved pieces go. An order that is fulfilled already stays as it is, and nothing is told twice."""
    ctx.require("orders:write")
    return await write(ctx, "order.fulfill", {"id": id}, partial(_fulfill, ctx, id))


async def _fulfill(ctx: Context, id: str, session: WriteSession) -> Written:  # noqa: A002
    order = await _own_order(ctx, session, id)
    query = select(OrderLine).where(OrderLine.order_id == order.id).order_by(col(OrderLine.line))
    lines = (await session.exec(query)).all()
    if order.status == "fulfilled":
        return Written(OrderBody.of(order, lines).as_json())
    now = ctx.clock()
    await order_lines.release(session, lines, now)
    order.status, order.fulfilled_at, order.updated_at = "fulfilled", now, now
    await session.flush()
    body = OrderBody.of(order, lines).as_json()
    await emit_all(session, [Happening("order.fulfilled", order.id, [order.owner_id], body, now)])
    return Written(body)


async def _own_order(ctx: Context, session: WriteSession, id: str) -> Order:  # noqa: A002
    """The viewer's own order, locked for a change; one that it may only read is Forbidden, the rest NotFound."""
    check_id("ord", id)
    row = (await session.exec(select(Order).where(Order.id == id).with_for_update())).first()
    if row is not None and ctx.viewer.may_write_storefront(row.storefront_id, row.owner_id):
        return row
    if row is not None and ctx.viewer.sight.reads_all:
        raise Forbidden(f"The order {id} is not yours to change.")
    raise NotFound("order", id[:64])
