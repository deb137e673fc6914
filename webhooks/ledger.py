"""Every statement of the delivery engine. Rows are inserted and updated, never deleted; old days are dropped whole."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import orjson

from webhooks.parcels import Parcel, Tried, body_of

CHANNEL: Final = "webhooks"  # where workers hear of new events, and of what was made due by hand
EVENTS: Final = "events"
Connection = Any  # asyncpg.Connection, straight or out of a pool

_EVENT: Final = "e.type, e.version, e.occurred_at, e.resource_id, e.resource_sequence, e.payload::text as payload"
_TAKEN: Final = "d.id, d.event_id, d.endpoint_id, d.ordered, d.attempts, d.retries"

_CLAIM: Final = """
with picked as materialized (
  select id from deliveries where {where} order by {order} limit $2 for update skip locked
), claimed as (
  update deliveries d set status = 'leased', leased_by = $1, due_at = null from picked where d.id = picked.id
  returning {taken}
)
select d.*, {event} from claimed d left join events e on e.id = d.event_id
"""
_DUE: Final = _CLAIM.format(
    where="status = 'waiting' and due_at <= now() and due_at > $3", order="due_at", taken=_TAKEN, event=_EVENT
)
_QUEUED: Final = _CLAIM.format(
    where="status = 'queued' and endpoint_id = $3", order="position", taken=_TAKEN, event=_EVENT
)
# Hops from one endpoint to the next through the index, however many rows each has.
_QUEUED_ENDPOINTS: Final = """
with recursive hop as (
  (select endpoint_id from deliveries where status = 'queued' order by endpoint_id limit 1)
  union all
  select (select d.endpoint_id from deliveries d where d.status = 'queued' and d.endpoint_id > hop.endpoint_id
          order by d.endpoint_id limit 1) from hop where hop.endpoint_id is not null
)
select endpoint_id from hop where endpoint_id is not null
"""
_RECORD: Final = """
with given as (
  select * from unnest($2::text[], $3::text[], $4::int[], $5::float8[], $6::int[], $7::text[], $8::text[], $9::text[],
    $10::timestamptz[], $11::int[], $12::text[], $13::text[], $14::bytea[])
    as g(id, status, retries, wait, http, error, url, outcome, started_at, duration_ms, sent, got, body)
), kept as (
  update deliveries d set status = g.status, attempts = d.attempts + 1, retries = g.retries, leased_by = null,
    due_at = now() + make_interval(secs => g.wait), last_status = g.http, last_error = g.error,
    finished_at = case when g.status = 'waiting' then null else now() end
  from given g where d.id = g.id and d.leased_by = $1 and d.status = 'leased'
    and d.id >= $15 and d.id <= $16
  returning d.id, d.attempts
)
insert into delivery_attempts (delivery_id, number, url, outcome, status, error, started_at, duration_ms,
  request_headers, response_headers, response_body)
select k.id, k.attempts, g.url, g.outcome, g.http, g.error, g.started_at, g.duration_ms, g.sent::json, g.got::json,
  g.body
from kept k join given g on g.id = k.id
"""
_RELEASE: Final = """
with lanes as (select distinct * from unnest($1::text[], $2::text[]) as l(endpoint_id, resource_id)),
heads as (
  select h.id from lanes l cross join lateral (
    select id, status from deliveries d where d.endpoint_id = l.endpoint_id and d.resource_id = l.resource_id
      and d.ordered and d.finished_at is null order by d.position limit 1
  ) h where h.status = 'blocked'
)
update deliveries d set status = 'waiting', due_at = now() from heads where d.id = heads.id and d.status = 'blocked'
"""


def _parcel(row: asyncpg.Record) -> Parcel:
    body = body_of(row) if row["payload"] is not None else b""
    return Parcel(
        row["id"], row["event_id"], row["endpoint_id"], row["resource_id"] or "", row["ordered"], row["attempts"],
        row["retries"], body,
    )  # fmt: skip


async def claim_due(connection: Connection, worker: str, most: int, since: datetime) -> list[Parcel]:
    """Takes up to `most` deliveries whose time has come, looking at those due after `since` only."""
    return [_parcel(row) for row in await connection.fetch(_DUE, worker, most, since)]


async def claim_queued(connection: Connection, worker: str, most: int, endpoint_id: str) -> list[Parcel]:
    """Takes up to `most` of the deliveries that wait for this endpoint, oldest first."""
    return [_parcel(row) for row in await connection.fetch(_QUEUED, worker, most, endpoint_id)]


async def queued_endpoints(connection: Connection) -> list[str]:
    """The endpoints that deliveries wait for."""
    return [row[0] for row in await connection.fetch(_QUEUED_ENDPOINTS)]


async def record(connection: Connection, worker: str, tried: Sequence[Tried]) -> bool:
    """Writes attempts down and moves their deliveries on, unless another worker has taken them over.

    Returns whether a later event of an ordered resource became due by it.
    """
    ids = [item.parcel.id for item in tried]
    columns: list[Sequence[Any]] = [
        ids,
        [item.next_status for item in tried],
        [item.parcel.retries + 1 for item in tried],
        [item.wait if item.next_status == "waiting" else None for item in tried],
        [item.status for item in tried],
        [item.error for item in tried],
        [item.url for item in tried],
        [item.outcome for item in tried],
        [item.started_at for item in tried],
        [item.duration_ms for item in tried],
        [orjson.dumps(item.request_headers).decode() for item in tried],
        [orjson.dumps(item.response_headers).decode() for item in tried],
        [item.response_body for item in tried],
    ]
    async with connection.transaction():
        await connection.execute(_RECORD, worker, *columns, min(ids), max(ids))
        finished = [item.parcel for item in tried if item.parcel.ordered and item.next_status != "waiting"]
        return await _release(connection, finished)


async def _release(connection: Connection, finished: Iterable[Parcel]) -> bool:
    parcels = list(finished)
    if not parcels:
        return False
    lanes = [parcel.endpoint_id for parcel in parcels], [parcel.resource_id for parcel in parcels]
    return bool(await connection.execute(_RELEASE, *lanes) != "UPDATE 0")


async def put_back(connection: Connection, worker: str, ids: Sequence[str], *, status: str) -> None:
    """Gives deliveries back untried: `queued` for their endpoint, or `waiting`, due now."""
    await connection.execute(
        "update deliveries set status = $3, leased_by = null, due_at = case when $3 = 'waiting' then now() end "
        "where id = any($2::text[]) and leased_by = $1 and status = 'leased'",
        worker, ids, status,
    )  # fmt: skip


async def cancel(connection: Connection, worker: str, parcels: Sequence[Parcel], reason: str) -> None:
    """Ends deliveries whose endpoint or event is no more."""
    async with connection.transaction():
        await connection.execute(
            "update deliveries set status = 'cancelled', leased_by = null, last_error = $3, finished_at = now() "
            "where id = any($2::text[]) and leased_by = $1 and status = 'leased'",
            worker, [parcel.id for parcel in parcels], reason,
        )  # fmt: skip
        await _release(connection, (parcel for parcel in parcels if parcel.ordered))


async def arrive(connection: Connection, worker: str, host: str) -> None:
    """Enters a worker."""
    await connection.execute(
        "insert into delivery_workers (id, host, started_at, seen_at) values ($1, $2, now(), now())", worker, host
    )


async def beat(connection: Connection, worker: str, lease: float, totals: Mapping[str, Any]) -> int:
    """A heartbeat. Returns how many workers live, or 0 where this one was given up by the others."""
    alive = await connection.execute(
        "update delivery_workers set seen_at = now(), totals = $3::text::json "
        "where id = $1 and seen_at > now() - make_interval(secs => $2)",
        worker, lease, orjson.dumps(totals).decode(),
    )  # fmt: skip
    if alive == "UPDATE 0":
        return 0
    sql = "select count(*) from delivery_workers where seen_at > now() - make_interval(secs => $1)"
    return int(await connection.fetchval(sql, lease))


async def leave(connection: Connection, worker: str) -> None:
    """Leaves: what is still leased is due for the others at once."""
    await connection.execute(
        "update deliveries set status = 'waiting', due_at = now(), leased_by = null "
        "where leased_by = $1 and status = 'leased'",
        worker,
    )
    await connection.execute("update delivery_workers set seen_at = 'epoch' where id = $1", worker)


async def rescue(connection: Connection, lease: float) -> int:
    """Makes due what dead workers had leased. Returns how many. The long dead are settled: looked at no more."""
    tag: str = await connection.execute(
        """
        with dead as materialized (
          select id from delivery_workers
          where seen_at <= now() - make_interval(secs => $1) and seen_at > 'epoch' for update skip locked
        )
        update deliveries set status = 'waiting', due_at = now(), leased_by = null
        where status = 'leased' and leased_by in (select id from dead)
        """,
        lease,
    )
    await connection.execute(
        "update delivery_workers set seen_at = 'epoch' where seen_at > 'epoch' "
        "and seen_at <= now() - make_interval(secs => $1) - interval '10 minutes'",
        lease,
    )
    return int(tag.split()[-1])


async def leased_by(connection: Connection, worker: str) -> list[str]:
    """The ids of what the ledger says a worker has in hand."""
    sql = "select id from deliveries where status = 'leased' and leased_by = $1"
    return [row[0] for row in await connection.fetch(sql, worker)]


async def note_health(connection: Connection, ids: Sequence[str], *, failing: bool) -> None:
    """Writes down that endpoints fail, or that they do no longer."""
    if failing:
        change = "failing_since = coalesce(failing_since, now()), last_failure_at = now()"
    else:
        change = "failing_since = null, notices_sent = 0, last_success_at = now()"
    await connection.execute(f"update webhook_endpoints set {change} where id = any($1::text[])", ids)
