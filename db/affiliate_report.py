"""Clicks and sales of a time, grouped: one statement over what happened, not over the links' running counters."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from db.rules import Bind, Sight, Visibility
from db.statements import Given, Statement

# What each grouping groups by: the columns of a row that it fills, as SQL over `h` (what happened) and `l` (its link).
GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "day": {"day": "(h.occurred_at at time zone 'UTC')::date"},
    "link": {"link_id": "l.id", "code": "l.code", "product_id": "l.product_id", "storefront_id": "l.storefront_id"},
    "product": {"product_id": "l.product_id", "storefront_id": "l.storefront_id"},
    "storefront": {"storefront_id": "l.storefront_id"},
}
START, END = Given("start"), Given("end")
_HAPPENED: Final = """
    select c.link_id, c.occurred_at, 1 as clicks, 0 as conversions, 0 as revenue, 0 as commission
    from mine join clicks c on c.link_id = mine.id where c.occurred_at >= {start} and c.occurred_at < {end}
    union all
    select v.link_id, v.occurred_at, 0, 1, v.amount, v.commission_amount
    from mine join conversions v on v.link_id = mine.id where v.occurred_at >= {start} and v.occurred_at < {end}
"""


@lru_cache(maxsize=100)
def report(group: str, seen: Visibility, sight: Sight) -> Statement:
    """The rows of one grouping over the links that are `seen`, in one currency each, by key and then currency."""
    bind = Bind()
    keys = GROUPS[group]
    named = ", ".join(f"{sql} as {name}" for name, sql in keys.items())
    places = ", ".join(str(place + 1) for place in range(len(keys) + 1))
    mine = f"select t.id from affiliate_links t where {seen.sql('t', sight, bind)}"
    happened = _HAPPENED.format(start=f"{bind(START)}::timestamptz", end=f"{bind(END)}::timestamptz")
    sql = f"""
    with mine as ({mine}), happened as ({happened})
    select {named}, l.currency, sum(h.clicks)::bigint as clicks, sum(h.conversions)::bigint as conversions,
      sum(h.revenue) as revenue, sum(h.commission) as commission
    from happened h join affiliate_links l on l.id = h.link_id group by {places} order by {places}
    """
    return Statement(sql, bind.sources)
