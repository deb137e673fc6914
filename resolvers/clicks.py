"""Clicks on affiliate links: who is counted, and where everyone goes on to."""

from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from crawleruseragents import is_crawler
from sqlalchemy import LargeBinary, bindparam, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlmodel import select

from db import clicks
from db.bodies.affiliates import ClickBody
from db.ids import new_id
from db.rows import hydrate
from db.sessions import WriteSession
from db.tables import AffiliateLink, Click
from resolvers.affiliates import Code
from resolvers.context import Context
from resolvers.destinations import with_click
from resolvers.errors import Invalid, NotFound
from resolvers.inputs import Input, read
from webhooks.outbox import emit

_MOMENT = TIMESTAMP(timezone=True)
_COUNT = text(clicks.COUNT).bindparams(
    bindparam("visitor", type_=LargeBinary), bindparam("hour", type_=_MOMENT), bindparam("occurred_at", type_=_MOMENT)
)


class _Named(Input):
    code: Code


async def follow(ctx: Context, *, code: str, address: str, user_agent: str, counts: bool) -> str:
    """Where the link leads. A person's click (`counts`, and no known crawler) is counted once an hour, and its id goes along."""
    _check_code(code)
    now = ctx.clock()
    hour = now.replace(minute=0, second=0, microsecond=0)
    visitor = _visitor(ctx.platform.secret, code, address, user_agent)
    found = await ctx.db.fetch(clicks.FIND, [code, visitor, hour])
    if not found:
        raise NotFound("affiliate_link", code)
    link = hydrate(AffiliateLink, found[0])
    if not counts or _is_bot(user_agent):
        return link.destination_url
    click_id = found[0]["click_id"] or await _count(ctx, link, visitor, hour, now)
    return with_click(link.destination_url, click_id)


def _check_code(code: str) -> None:
    try:
        read(_Named, {"code": code})
    except Invalid:
        raise NotFound("affiliate_link", code[:64]) from None


def _visitor(secret: bytes, code: str, address: str, user_agent: str) -> bytes:
    """Tells a visitor of this link from another without saying who it is, nor that it followed another link too."""
    told = "\n".join((code, address, user_agent)).encode("utf-8", "surrogateescape")
    return blake2b(told, key=secret[:64], digest_size=16, person=b"affiliate click").digest()


@lru_cache(maxsize=10_000)
def _is_bot(user_agent: str) -> bool:
    """Known crawlers, and whatever does not say what it is."""
    return not user_agent or is_crawler(user_agent)


async def _count(ctx: Context, link: AffiliateLink, visitor: bytes, hour: datetime, now: datetime) -> str:
    row = Click(id=new_id("clk"), link_id=link.id, visitor=visitor, hour=hour, occurred_at=now)
    async with ctx.db.write() as session:
        if (await session.exec(_COUNT, params=row.model_dump())).first() is None:  # type: ignore[call-overload]
            return await _counted_meanwhile(session, row)
        await _tell(session, row, link)
    return row.id


async def _tell(session: WriteSession, row: Click, link: AffiliateLink) -> None:
    body: dict[str, Any] = ClickBody.of(row, link).as_json()
    await emit(
        session, type="affiliate.click", resource_id=link.id, audience=audience(link), payload=body,
        occurred_at=row.occurred_at,
    )  # fmt: skip


def audience(link: AffiliateLink) -> list[str]:
    """Whom a click or a sale concerns."""
    return [user for user in (link.affiliate_id, link.storefront_owner_id) if user is not None]


async def _counted_meanwhile(session: WriteSession, row: Click) -> str:
    """The id of the same visitor's click that another request has just counted."""
    query = select(Click.id).where(Click.link_id == row.link_id, Click.visitor == row.visitor, Click.hour == row.hour)
    return (await session.exec(query)).one()
