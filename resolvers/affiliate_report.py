"""What affiliate links brought in a time: by day, link, product or storefront."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from db import affiliate_report
from db.affiliate_report import END, GROUPS, START
from db.bodies.affiliates import ReportBody, ReportRow
from db.bodies.base import Money
from db.money import round_to
from db.relations import AFFILIATE_LINK, STOREFRONTS_LINKS
from resolvers.affiliates import rate
from resolvers.context import Context
from resolvers.errors import Fault, Invalid
from resolvers.inputs import read_moment

Group = Literal["day", "link", "product", "storefront"]
Role = Literal["affiliate", "storefront"]
LONGEST: Final = timedelta(days=366)
USUAL: Final = timedelta(days=30)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Bound:
    """One end of a time. A whole day, where it was given as a date, is inside the time whichever end it is."""

    moment: datetime
    whole_day: bool = False


def _bound(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return Bound(read_moment(value))
    return Bound(datetime.combine(day, time(), UTC), whole_day=True)


_WORDS = {
    "type": "string", "description": "A date, or a time of RFC 3339.", "example": "2026-11-01",
    "anyOf": [{"format": "date"}, {"format": "date-time"}],
}  # fmt: skip
BoundInput = Annotated[Bound, Field(), BeforeValidator(_bound), WithJsonSchema(_WORDS)]


async def report(
    ctx: Context, *, group_by: Group = "day", start: Bound | None = None, end: Bound | None = None,
    role: Role = "affiliate",
) -> ReportBody:  # fmt: skip
    """Clicks and sales of the viewer's own links, or (`role` storefront) of all links to the viewer's storefronts."""
    ctx.require("affiliates:read")
    since, until = _span(ctx.clock(), start, end)
    seen = AFFILIATE_LINK.listed if role == "affiliate" else STOREFRONTS_LINKS
    statement = affiliate_report.report(group_by, seen, ctx.viewer.sight)
    records = await ctx.loaders.fetch(statement, {START: since, END: until})
    rows = [_row(group_by, record) for record in records]
    return ReportBody.model_construct(from_=since, to=until, group_by=group_by, data=rows)


def _span(now: datetime, start: Bound | None, end: Bound | None) -> tuple[datetime, datetime]:
    """From the first moment to the first that no longer belongs; without ends, thirty days of which this is the last."""
    try:
        until = now if end is None else end.moment + (_DAY if end.whole_day else timedelta())
        since = _usual_start(until) if start is None else start.moment
    except OverflowError:
        raise Invalid(Fault("/to", "is outside the years that can be reported")) from None
    if since >= until:
        raise Invalid(Fault("/from", "must lie before `to`"))
    if until - since > LONGEST:
        raise Invalid(Fault("/from", f"must not lie more than {LONGEST.days} days before `to`"))
    return since, until


def _usual_start(until: datetime) -> datetime:
    last_day = (until - timedelta(microseconds=1)).date()
    return datetime.combine(last_day, time(), UTC) - USUAL + _DAY


def _row(group_by: Group, record: Any) -> ReportRow:
    keys = {name: record[name] if name in GROUPS[group_by] else None for name in _KEYS}
    currency = record["currency"]
    return ReportRow.model_construct(
        **keys,
        clicks=record["clicks"],
        conversions=record["conversions"],
        conversion_rate=str(rate(record["conversions"], record["clicks"])),
        revenue=Money.of(round_to(record["revenue"], currency), currency),
        commission=Money.of(round_to(record["commission"], currency), currency),
    )


_KEYS: Final = tuple(dict.fromkeys(name for group in GROUPS.values() for name in group))
