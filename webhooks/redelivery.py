"""Sending again: one delivery, all that failed, a range of the log, or a test. Workers hear of it at once."""

from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import text

from db.ids import new_id
from db.partitions import first_id
from db.sessions import WriteSession
from db.tables import WebhookEndpoint
from webhooks.events import kind_of
from webhooks.ledger import CHANNEL

MOST_AT_ONCE: Final = 10_000
_AGAIN: Final = """
update deliveries set status = 'waiting', due_at = now(), retries = 0, finished_at = null, leased_by = null
where endpoint_id = :endpoint and status in ('failed', 'delivered', 'cancelled') {which} returning id
"""
_REPLAY: Final = """
with chosen as (
  select f.position, e.id as event_id, e.type, e.resource_id, e.resource_sequence
  from event_feed f join events e on e.id = f.event_id
  where f.user_id = :owner and f.event_id >= :since and f.event_id < :until and f.type = any(:types)
    and (cardinality(cast(:storefronts as text[])) = 0 or f.storefront_id = any(:storefronts))
  order by f.position limit :most
)
insert into deliveries (id, event_id, endpoint_id, type, resource_id, resource_sequence, cause, ordered, status, due_at,
  created_at)
select 'dlv_' || ids.id, c.event_id, :endpoint, c.type, c.resource_id, c.resource_sequence, 'replay', false, 'queued',
  null, now()
from (select *, row_number() over (order by position) as n from chosen) c
join unnest(cast(:ids as text[])) with ordinality as ids(id, n) using (n) order by c.position
returning id
"""


async def wake(session: WriteSession, news: str) -> None:
    """Tells the workers, when the transaction is committed."""
    await _run(session, "select pg_notify(:channel, :news)", channel=CHANNEL, news=news)


async def resend(session: WriteSession, endpoint_id: str, delivery_id: str) -> bool:
    """Sends a finished delivery again, with a schedule of its own. False where it is not finished."""
    which = "and id = :delivery"
    done = await _run(session, _AGAIN.format(which=which), endpoint=endpoint_id, delivery=delivery_id)
    await wake(session, "resend")
    return bool(done)


async def recover(session: WriteSession, endpoint_id: str, since: datetime) -> int:
    """Sends again what has failed since a time; at most ten thousand, the oldest first."""
    which = f"""and status = 'failed' and id in (
      select id from deliveries where endpoint_id = :endpoint and status = 'failed' and id >= :since
      order by id limit {MOST_AT_ONCE})"""
    done = await _run(session, _AGAIN.format(which=which), endpoint=endpoint_id, since=first_id("dlv", since))
    await wake(session, "recover")
    return len(done)


async def replay(
    session: WriteSession, endpoint: WebhookEndpoint, since: datetime, until: datetime, types: list[str]
) -> int:
    """Sends a range of the log to an endpoint, whether it had it before or not; at most ten thousand, oldest first."""
    done = await _run(
        session, _REPLAY, owner=endpoint.owner_id, since=first_id("evt", since), until=first_id("evt", until),
        types=types, storefronts=endpoint.storefront_ids, most=MOST_AT_ONCE, endpoint=endpoint.id,
        ids=[new_id("dlv")[4:] for _ in range(MOST_AT_ONCE)],
    )  # fmt: skip
    await wake(session, "replay")
    return len(done)


async def send_test(session: WriteSession, endpoint: WebhookEndpoint, event: dict[str, Any], now: datetime) -> str:
    """Sends an example to an endpoint. It is in nobody's log. Returns the delivery's id."""
    delivery, event_id = new_id("dlv"), new_id("evt")
    await _run(
        session,
        """
        insert into events (id, type, version, occurred_at, resource_id, resource_sequence, audience, payload)
        values (:event, :type, :version, :now, :resource, :sequence, '{}', cast(:payload as json)) returning id
        """,
        event=event_id, type=event["type"], version=kind_of(event["type"]).version, now=now,
        resource=event["resource"]["id"], sequence=event["resource"]["sequence"],
        payload=orjson.dumps(event["data"]).decode(),
    )  # fmt: skip
    await _run(
        session,
        """
        insert into deliveries (id, event_id, endpoint_id, type, resource_id, resource_sequence, cause, ordered, status,
          due_at, created_at)
        values (:delivery, :event, :endpoint, :type, :resource, :sequence, 'test', false, 'waiting', now(), now())
        returning id
        """,
        delivery=delivery, event=event_id, endpoint=endpoint.id, type=event["type"],
        resource=event["resource"]["id"], sequence=event["resource"]["sequence"],
    )  # fmt: skip
    await wake(session, "test")
    return delivery


async def _run(session: WriteSession, sql: str, **values: Any) -> list[Any]:
    return list((await session.exec(text(sql).bindparams(**values))).all())  # type: ignore[call-overload]
