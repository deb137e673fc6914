"""The outbox: an event is written in the transaction of the change it tells of, or not at all.

Events of a resource are numbered 1, 2, 3, … without a gap and in the order in which their changes are committed: the
resource's counter stays locked until then. A change that touches several resources hands them all to `emit_all`, which
locks them in one order everywhere.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, TIMESTAMP

from db.ids import new_id
from db.sessions import WriteSession
from webhooks.events import kind_of
from webhooks.ledger import CHANNEL, EVENTS
from webhooks.payloads import fitted

_TEXTS: Final = ARRAY(TEXT)
_COLUMNS: Final = ("ids", "types", "versions", "resources", "storefronts", "audiences", "payloads")
_EMIT: Final = text(
    """
    with given as (
      select *, row_number() over (partition by resource_id order by place) as n,
             count(*) over (partition by resource_id) as m
      from unnest(:ids, :types, :versions, :resources, :storefronts, :audiences, :payloads, :moments)
        with ordinality as g(id, type, version, resource_id, storefront_id, audience, payload, occurred_at, place)
    ), counted as (
      insert into resource_sequences as r (resource_id, last)
      select resource_id, count(*) from given group by resource_id order by resource_id
      on conflict (resource_id) do update set last = r.last + excluded.last
      returning resource_id, last
    )
    insert into events
      (id, type, version, occurred_at, resource_id, resource_sequence, storefront_id, audience, payload)
    select g.id, g.type, g.version, g.occurred_at, g.resource_id, c.last - g.m + g.n, g.storefront_id,
           string_to_array(g.audience, ','), g.payload::json
    from given g join counted c using (resource_id) order by g.place
    """
).bindparams(
    *(bindparam(name, type_=_TEXTS) for name in _COLUMNS),
    bindparam("moments", type_=ARRAY(TIMESTAMP(timezone=True))),
)  # fmt: skip


@dataclass(frozen=True)
class Happening:
    """An event to be written. `audience` are the users whom it concerns; `payload` is what REST answers for the noun.

    `storefront_id` is taken from the payload where it is not given.
    """

    type: str
    resource_id: str
    audience: Collection[str]
    payload: Mapping[str, Any]
    occurred_at: datetime
    storefront_id: str | None = None

    @property
    def storefront(self) -> str | None:
        """The storefront it belongs to, for filters."""
        return self.storefront_id or self.payload.get("storefront_id")


async def emit(
    session: WriteSession, *, type: str, resource_id: str, audience: Collection[str], payload: Mapping[str, Any],  # noqa: A002
    occurred_at: datetime, storefront_id: str | None = None,
) -> str:  # fmt: skip
    """Writes one event in the caller's transaction and returns its id. KeyError for a type outside the catalogue."""
    happening = Happening(type, resource_id, audience, payload, occurred_at, storefront_id)
    return (await emit_all(session, [happening]))[0]


async def emit_all(session: WriteSession, happenings: Sequence[Happening]) -> list[str]:
    """Writes several events with one statement, numbered in their order, and returns their ids."""
    if not happenings:
        return []
    session.news.add((CHANNEL, EVENTS))
    ids = [new_id("evt") for _ in happenings]
    await session.exec(  # type: ignore[call-overload]
        _EMIT,
        params={
            "ids": ids,
            "types": [item.type for item in happenings],
            "versions": [kind_of(item.type).version for item in happenings],
            "resources": [item.resource_id for item in happenings],
            "storefronts": [item.storefront for item in happenings],
            "audiences": [",".join(sorted(set(item.audience))) for item in happenings],
            "payloads": [orjson.dumps(fitted(item.payload)).decode() for item in happenings],
            "moments": [item.occurred_at for item in happenings],
        },
    )
    return ids
