"""From events to deliveries and to every reader's log: each committed event once, in the order of commits.

A tick takes what became visible between two snapshots of the database, so an event that commits late is found however
low its number is, and a transaction that stays open holds nobody back (the way of PgQ, Skype 2007). One worker at a
time makes a tick; its end is written in the same transaction as its deliveries.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from db.ids import new_id
from webhooks.lanes import Endpoint
from webhooks.parcels import Parcel, body_of

AT_ONCE: Final = 1000  # events a tick
_LOCK: Final = 0x66736833
_NOTHING_SEEN: Final = "1:1:"

# Whether there is anything to do: one statement, for the many times when there is not.
_PENDING: Final = """
select coalesce((
  select t.low <> t.high or exists (
    select from events e where e.transaction >= pg_snapshot_xmax(t.high::pg_snapshot)::text::bigint
    and e.transaction < pg_snapshot_xmax(pg_current_snapshot())::text::bigint
  ) or exists (
    select from events e where e.transaction = any(
      array(select x::text::bigint from pg_snapshot_xip(t.high::pg_snapshot) x))
  ) or pg_snapshot_xmax(t.high::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot())
  from (select low, high from dispatch_ticks order by id desc limit 1) t
), exists (select from events))
"""
_STATE: Final = """
select pg_current_snapshot()::text as now, t.low, t.high, t.after
from (select) one left join lateral (select low, high, after from dispatch_ticks order by id desc limit 1) t on true
"""
_EVENTS: Final = """
select e.id as event_id, e.sequence, e.transaction, e.type, e.version, e.occurred_at, e.resource_id,
  e.resource_sequence, e.storefront_id, e.audience, e.payload::text as payload
from events e
where ((e.transaction >= $1 and e.transaction < $2) or e.transaction = any($3::bigint[]))
  and e.transaction <> all($4::bigint[]) and e.sequence > $5
order by e.sequence limit $6
"""
# After the database was restored into another cluster, where transactions are numbered anew: what no log has yet.
_UNTOLD: Final = """
select e.id as event_id, e.sequence, e.transaction, e.type, e.version, e.occurred_at, e.resource_id,
  e.resource_sequence, e.storefront_id, e.audience, e.payload::text as payload
from events e
where cardinality(e.audience) > 0 and not exists (
  select from event_feed f where f.event_id = e.id and f.user_id = any(e.audience))
order by e.sequence limit $1
"""
_ENDPOINTS: Final = "select w.* from webhook_endpoints w where w.owner_id = any($1::text[]) and w.status <> 'disabled'"
_BUSY: Final = """
select d.endpoint_id, d.resource_id from deliveries d
join (select distinct * from unnest($1::text[], $2::text[]) as l(endpoint_id, resource_id)) l
  on l.endpoint_id = d.endpoint_id and l.resource_id = d.resource_id
where d.ordered and d.finished_at is null order by d.id for share of d
"""
_WRITE: Final = """
with told as (
  insert into event_feed (user_id, event_id, type, storefront_id)
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])
), sent as (
  insert into deliveries (id, event_id, endpoint_id, type, resource_id, resource_sequence, ordered, status, leased_by,
    cause, created_at)
  select d.id, d.event_id, d.endpoint_id, d.type, d.resource_id, d.resource_sequence, d.ordered, d.status,
    case d.status when 'leased' then $13 end, 'event', now()
  from unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::int[], $11::bool[], $12::text[])
    as d(id, event_id, endpoint_id, type, resource_id, resource_sequence, ordered, status)
)
insert into dispatch_ticks (at, low, high, after, users) values (clock_timestamp(), $14, $15, $16, $17)
"""


@dataclass(frozen=True)
class Snapshot:
    """What a PostgreSQL snapshot sees: transactions below `xmax` but for those in `running`."""

    text: str

    @property
    def xmax(self) -> int:
        """The first transaction that had not begun."""
        return int(self.text.split(":")[1])

    @property
    def running(self) -> list[int]:
        """Those that had begun and not ended."""
        return [int(part) for part in self.text.split(":")[2].split(",") if part]


@dataclass(frozen=True)
class Span:
    """What lies between two snapshots, after a sequence number already dealt with."""

    low: Snapshot
    high: Snapshot
    after: int

    @property
    def arguments(self) -> tuple[Any, ...]:
        """For `_EVENTS`."""
        return self.low.xmax, self.high.xmax, self.low.running, self.high.running, self.after


@dataclass(frozen=True)
class Tick:
    """What came of one tick: deliveries for this worker to send now, whether others wait, how many events."""

    parcels: list[Parcel]
    left_for_others: bool
    events: int


@dataclass(frozen=True)
class _Order:
    parcel: Parcel
    event: asyncpg.Record
    status: str


Read = Callable[[Any, Sequence[asyncpg.Record]], Awaitable[list[Endpoint]]]
Room = Callable[[Endpoint], int]


async def pending(connection: Any) -> bool:
    """Whether a tick would find anything."""
    return bool(await connection.fetchval(_PENDING))


async def tick(connection: Any, worker: str, read: Read, room: Room) -> Tick | None:
    """Makes one tick, or returns None where another worker is at it.

    `read` turns endpoint rows into `Endpoint`s with their keys; `room` says how many parcels this worker takes for one.
    """
    async with connection.transaction():
        if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", _LOCK):
            return None
        span, restored = _span(await connection.fetchrow(_STATE))
        if restored:
            events = await connection.fetch(_UNTOLD, AT_ONCE)
        else:
            events = await connection.fetch(_EVENTS, *span.arguments, AT_ONCE)
        end = _end(span, events, restored=restored)
        orders = await _orders(connection, events, read, room, span.high.xmax)
        if events or end.low != span.low:
            await _write(connection, worker, events, orders, end)
    leased = [order.parcel for order in orders if order.status == "leased"]
    return Tick(leased, any(order.status == "queued" for order in orders), len(events))


def _span(state: asyncpg.Record) -> tuple[Span, bool]:
    """What is to be dealt with now: the rest of the last span, or a new one from its end to the present."""
    now = Snapshot(state["now"])
    if state["low"] is None:
        return Span(Snapshot(_NOTHING_SEEN), now, 0), False
    low, high = Snapshot(state["low"]), Snapshot(state["high"])
    if high.xmax > now.xmax:
        return Span(high, now, 0), True
    return (Span(high, now, 0) if low == high else Span(low, high, state["after"])), False


def _end(span: Span, events: list[asyncpg.Record], *, restored: bool) -> Span:
    """Where the next tick goes on."""
    if len(events) < AT_ONCE:
        return Span(span.high, span.high, 0)
    if restored:
        return Span(span.low, span.low, 0)
    return Span(span.low, span.high, events[-1]["sequence"])


async def _orders(connection: Any, events: list[asyncpg.Record], read: Read, room: Room, newest: int) -> list[_Order]:
    users = sorted({user for event in events for user in event["audience"]})
    if not users:
        return []
    endpoints = await read(connection, await connection.fetch(_ENDPOINTS, users))
    by_owner: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints:
        by_owner.setdefault(endpoint.owner_id, []).append(endpoint)
    pairs = [
        (event, endpoint)
        for event in events
        for user in event["audience"]
        for endpoint in by_owner.get(user, ())
        if endpoint.wants(event["type"], event["storefront_id"])
        # Numbers above the newest come from before a restore and say nothing.
        and not event["transaction"] < endpoint.transaction <= newest
    ]
    return _placed(pairs, await _busy(connection, pairs), {endpoint.id: room(endpoint) for endpoint in endpoints})


async def _busy(connection: Any, pairs: list[tuple[asyncpg.Record, Endpoint]]) -> set[tuple[str, str]]:
    """The ordered lanes that have something unfinished. Its rows stay locked, so none finishes unseen meanwhile."""
    lanes = {(endpoint.id, event["resource_id"]) for event, endpoint in pairs if endpoint.ordered}
    if not lanes:
        return set()
    rows = await connection.fetch(_BUSY, [lane[0] for lane in lanes], [lane[1] for lane in lanes])
    return {(row[0], row[1]) for row in rows}


def _placed(
    pairs: list[tuple[asyncpg.Record, Endpoint]], busy: set[tuple[str, str]], room: dict[str, int]
) -> list[_Order]:
    orders = []
    bodies: dict[str, bytes] = {}
    for event, endpoint in pairs:
        lane = (endpoint.id, event["resource_id"])
        status = "blocked" if endpoint.ordered and lane in busy else "leased" if room[endpoint.id] > 0 else "queued"
        if endpoint.ordered:
            busy.add(lane)
        if status == "leased":
            room[endpoint.id] -= 1
        body = bodies.get(event["event_id"]) or bodies.setdefault(event["event_id"], body_of(event))
        parcel = Parcel(
            new_id("dlv"), event["event_id"], endpoint.id, event["resource_id"], endpoint.ordered, 0, 0, body
        )
        orders.append(_Order(parcel, event, status))
    return orders


async def _write(connection: Any, worker: str, events: list[asyncpg.Record], orders: list[_Order], end: Span) -> None:
    told = [(user, event) for event in events for user in event["audience"]]
    await connection.execute(
        _WRITE,
        [user for user, _ in told],
        [event["event_id"] for _, event in told],
        [event["type"] for _, event in told],
        [event["storefront_id"] for _, event in told],
        [order.parcel.id for order in orders],
        [order.parcel.event_id for order in orders],
        [order.parcel.endpoint_id for order in orders],
        [order.event["type"] for order in orders],
        [order.parcel.resource_id for order in orders],
        [order.event["resource_sequence"] for order in orders],
        [order.parcel.ordered for order in orders],
        [order.status for order in orders],
        worker,
        end.low.text,
        end.high.text,
        end.after,
        sorted({user for user, _ in told}),
    )
