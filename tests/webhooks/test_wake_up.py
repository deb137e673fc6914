"""Workers hear of new events when they are committed, once for many; what nobody told them of they find by looking."""

import asyncio
import time
from contextlib import asynccontextmanager, suppress

import asyncpg

from db.ids import new_id
from tests.webhooks.partners import eventually, new_partner, working
from tests.webhooks.receivers import receiving
from webhooks.ledger import CHANNEL, EVENTS
from webhooks.naps import nap


@asynccontextmanager
async def hearing(dsn):
    """What is said on the channel while the block runs."""
    heard = []
    connection = await asyncpg.connect(dsn)
    await connection.add_listener(CHANNEL, lambda *news: heard.append(news[3]))
    try:
        yield heard
    finally:
        await connection.close()


async def listeners(database):
    sql = "select count(*) from pg_stat_activity where datname = current_database() and query ilike 'listen%'"
    return await database.fetch_value(sql)


async def test_a_worker_that_hardly_looks_hears_of_an_event_at_once(database):
    partner = await new_partner(database)
    async with receiving() as receiver, working(database, idle=60):
        await partner.endpoint(receiver.url)
        await eventually(lambda: listeners(database))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await partner.happen(new_id("ord"))
        await receiver.wait(1)
        assert time.monotonic() - began < 2


async def test_what_was_told_to_nobody_is_found_all_the_same(database):
    partner = await new_partner(database)
    async with receiving() as receiver, working(database, idle=0.1):
        await partner.endpoint(receiver.url)
        database._herald.tell, told = lambda news: None, database._herald.tell
        try:
            await partner.happen(new_id("ord"))
        finally:
            database._herald.tell = told
        await receiver.wait(1)


async def test_many_commits_in_a_moment_are_told_once_and_a_rollback_never(database, webhooks_dsn):
    partner = await new_partner(database)
    async with hearing(webhooks_dsn) as heard:
        await asyncio.gather(*(partner.happen(new_id("ord")) for _ in range(60)))
        await eventually(_something(heard))
        await asyncio.sleep(0.2)
        assert set(heard) == {EVENTS}
        assert len(heard) < 30
        heard.clear()
        with suppress(ZeroDivisionError):
            async with database.write() as session:
                session.news.add((CHANNEL, EVENTS))
                raise ZeroDivisionError
        await asyncio.sleep(0.1)
        assert heard == []


async def test_who_is_stopped_in_the_moment_of_waking_stops():
    async def forever(event):
        while True:
            await nap(event, 10)
            event.clear()

    for _ in range(50):
        event = asyncio.Event()
        task = asyncio.create_task(forever(event))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        event.set()
        await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=1)
        assert done


def _something(heard):
    async def check():
        return heard

    return check
