"""Kills, at least two hundred: workers at every boundary and at random, the emitting server, PostgreSQL itself.

Whatever was committed arrives; what arrives twice was in flight; a resource's events never arrive in the wrong order.
"""

import asyncio
import multiprocessing as mp
import os
import signal
import sys
import time
from collections import Counter
from random import Random

import asyncpg
import pytest

from db.embedded import EmbeddedPostgres
from db.ids import new_id
from db.migrate import migrate
from db.sessions import Database
from tests.webhooks.partners import new_partner
from tests.webhooks.receivers import receiving
from tests.webhooks.victims import MOMENTS, emit, work

KILLS = 210
CONCURRENCY = 10


class Victims:
    """Two workers and an emitter, each replaced as soon as it is dead."""

    def __init__(self, dsn: str, owner: str, resources: list[str], random: Random) -> None:
        self._forks = mp.get_context("forkserver")
        self._forks.set_forkserver_preload(["tests.webhooks.victims"])
        self._dsn, self._owner, self._resources, self._random = dsn, owner, resources, random
        self.deaths: Counter[str] = Counter()
        self.workers = [self._worker(MOMENTS[0]), self._worker("never")]
        self.emitter = self._start(emit, owner, resources)

    def _start(self, target, *arguments):
        process = self._forks.Process(target=target, args=(self._dsn, *arguments), daemon=True)
        process.start()
        return process

    def _worker(self, moment: str):
        process = self._start(work, moment, self._random.randrange(10**9))
        process.name = moment
        return process

    def replace_dead(self) -> None:
        """A worker that died at its moment is followed by one with the next moment."""
        for n, process in enumerate(self.workers):
            if not process.is_alive():
                process.join()
                self.deaths[f"worker {process.name}"] += 1
                counts = {moment: self.deaths[f"worker {moment}"] for moment in MOMENTS}
                self.workers[n] = self._worker(min(counts, key=lambda moment: counts[moment]))

    def kill_some(self) -> None:
        """A worker or the emitter, at a random point."""
        if self._random.random() < 0.5:
            self.emitter.kill()
            self.emitter.join()
            self.deaths["server"] += 1
            self.emitter = self._start(emit, self._owner, self._resources)
        else:
            n = self._random.randrange(2)
            self.workers[n].kill()
            self.workers[n].join()
            self.deaths["worker at random"] += 1
            self.workers[n] = self._worker(self._random.choice(MOMENTS))

    def calm(self) -> None:
        """No more events; two workers that nobody kills."""
        self.emitter.kill()
        for process in self.workers:
            process.kill()
        self.workers = [self._worker("never"), self._worker("never")]

    def end(self) -> None:
        """Nobody is left."""
        for process in (*self.workers, self.emitter):
            process.kill()
            process.join()


async def _kill_postgres(postgres: EmbeddedPostgres, victims: Victims) -> None:
    if postmaster := postgres.postmaster:
        os.kill(postmaster, signal.SIGKILL)
        victims.deaths["postgresql"] += 1


async def _unfinished(db: Database, owner: str) -> int:
    """Events that have not become finished deliveries, or -1 while the database is away."""
    sql = """select (select count(*) from events e where $1 = any(e.audience)) * 2
             - (select count(*) from deliveries d join webhook_endpoints w on w.id = d.endpoint_id
                where w.owner_id = $1 and d.status = 'delivered')"""
    try:
        return int(await db.fetch_value(sql, [owner]))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return -1


@pytest.mark.fault
async def test_nothing_is_lost_however_often_and_wherever_anything_is_killed(tmp_path):
    random, began = Random(7), time.monotonic()
    resources = [new_id("ord") for _ in range(20)]
    with EmbeddedPostgres.start(tmp_path / "home") as postgres:
        await migrate(postgres.dsn)
        db = await Database.open(postgres.dsn)
        partner = await new_partner(db)
        async with receiving() as ordered, receiving() as unordered:
            await partner.endpoint(ordered.url, ordered=True, concurrency=CONCURRENCY)
            await partner.endpoint(unordered.url, concurrency=CONCURRENCY)
            victims = Victims(postgres.dsn, partner.user_id, resources, random)
            try:
                while victims.deaths.total() < KILLS:
                    await asyncio.sleep(random.uniform(0.1, 0.4))
                    victims.replace_dead()
                    if random.random() < 0.35:
                        victims.kill_some()
                    if random.random() < 0.04:
                        await _kill_postgres(postgres, victims)
                victims.calm()
                deadline = time.monotonic() + 180
                while await _unfinished(db, partner.user_id) != 0:
                    assert time.monotonic() < deadline, "not everything was delivered"
                    await asyncio.sleep(0.5)
                await asyncio.sleep(1)
            finally:
                victims.end()
        committed = await db.fetch(
            "select id, resource_id, resource_sequence from events where $1 = any(audience)", [partner.user_id]
        )
        await db.close()
    wanted = {row["id"]: (row["resource_id"], row["resource_sequence"]) for row in committed}
    for receiver in (ordered, unordered):
        assert {one.headers["webhook-id"] for one in receiver.received} == set(wanted)
        assert len({(one.headers["webhook-id"], one.body) for one in receiver.received}) == len(wanted)
    for resource in resources:
        sequences = sorted(sequence for one, sequence in wanted.values() if one == resource)
        assert sequences == list(range(1, len(sequences) + 1))
        seen = [one.event["resource"] for one in ordered.received]
        arrived = [told["sequence"] for told in seen if told["id"] == resource]
        assert arrived == sorted(arrived)
    duplicates = len(ordered.received) + len(unordered.received) - 2 * len(wanted)
    assert duplicates <= victims.deaths.total() * 2 * CONCURRENCY
    sys.stdout.write(
        f"\n{len(wanted)} events to 2 endpoints, {duplicates} duplicates, {victims.deaths.total()} kills "
        f"in {time.monotonic() - began:.0f} s: {dict(sorted(victims.deaths.items()))}\n"
    )
    assert all(victims.deaths[f"worker {moment}"] for moment in MOMENTS)
