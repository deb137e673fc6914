"""Webhooks end to end on this machine: PostgreSQL, emitter, worker and receivers together. `make bench-webhooks`.

Latency is from just before the commit of an event's transaction to its receipt. Everything is real: rows in an embedded
PostgreSQL that syncs to disk, signatures by HMAC and Ed25519, HTTP over loopback.
"""

import argparse
import asyncio
import multiprocessing as mp
import os
import resource
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from db.embedded import EmbeddedPostgres
from db.ids import new_id
from db.migrate import migrate
from db.sessions import Database
from tests.webhooks.partners import LOOPBACK, SEAL, new_partner
from tests.webhooks.receivers import Received, Receiver, Reply, receiving
from webhooks.outbox import Happening, emit_all
from webhooks.worker import DeliveryWorker, Settings

FAN_OUT = 5


class Ears(Receiver):
    """Keeps the latencies of what it hears, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.latencies: list[tuple[float, float]] = []
        self.hanging: frozenset[str] = frozenset()

    def take(self, received: Received) -> Reply:
        if received.path in self.hanging:
            return Reply(hang=True)
        place = received.body.find(b'"at":') + 5
        made = float(received.body[place : received.body.find(b",", place)])
        self.latencies.append((received.at, received.at - made))
        return Reply()


def receive(pipe: Connection) -> None:
    """The receivers' process: says its port, then tells latencies whenever it is asked."""
    uvloop.run(_receive(pipe))


async def _receive(pipe: Connection) -> None:
    ears = Ears()
    async with receiving(into=ears):
        pipe.send(ears.port)
        loop = asyncio.get_running_loop()
        while True:
            asked = await loop.run_in_executor(None, pipe.recv)
            if asked is None:
                return
            if isinstance(asked, frozenset):
                ears.hanging = asked
            else:
                pipe.send((ears.latencies, usage()))
                ears.latencies = []


def work(dsn: str, pipe: Connection) -> None:
    """The worker's process: works until it is told to stop, and tells its memory whenever it is asked."""
    uvloop.run(_work(dsn, pipe))


async def _work(dsn: str, pipe: Connection) -> None:
    db, stop = await Database.open(dsn, readers=8, writers=2), asyncio.Event()
    task = asyncio.create_task(DeliveryWorker(db, SEAL, Settings(rules=LOOPBACK)).run(stop))
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, pipe.recv):
        pipe.send(usage())
    stop.set()
    await task
    await db.close()


def usage() -> dict[str, float]:
    """CPU seconds so far, and resident megabytes now."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {"cpu": spent.ru_utime + spent.ru_stime, "mb": pages * resource.getpagesize() / 1e6}


def emit(dsn: str, owners: list[str], rate: float, seconds: float, pipe: Connection) -> None:
    """The emitter's process: so many events a second, in transactions of a twentieth of a second each."""
    uvloop.run(_emit(dsn, owners, rate, seconds))
    pipe.send(usage())


async def _emit(dsn: str, owners: list[str], rate: float, seconds: float) -> None:
    db = await Database.open(dsn, readers=1, writers=4)
    began, done = time.time(), 0
    while (now := time.time()) < began + seconds:
        due = int((now - began) * rate) - done
        if due > 0:
            told = [owners[n % len(owners)] for n in range(done, done + due)]
            done += due
            await _happen(db, told)
        await asyncio.sleep(0.05)
    await db.close()


async def _happen(db: Database, users: list[str]) -> None:
    moment, at = datetime.now(UTC), time.time()
    events = [
        Happening("order.created", new_id("ord"), [user], {"at": at, "text": "x" * 600}, moment) for user in users
    ]
    async with db.write() as session:
        await emit_all(session, events)


def postgres_cpu(postmaster: int) -> float:
    """CPU seconds of PostgreSQL so far: of its first process, of those that it has outlived, of those that live."""
    ticks = 0
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if place.parent.name == str(postmaster):
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == postmaster:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass
class Bench:
    """The running parts."""

    dsn: str
    db: Database
    ears: Any
    worker: Any
    port: int
    postmaster: int

    async def partner(self, endpoints: int) -> tuple[str, list[str]]:
        """A fresh partner; returns its user and the paths of its endpoints."""
        partner = await new_partner(self.db)
        paths = [f"/{partner.user_id}/{n}" for n in range(endpoints)]
        for path in paths:
            await partner.endpoint(f"http://127.0.0.1:{self.port}{path}", concurrency=100)
        return partner.user_id, paths

    async def heard(self) -> tuple[list[tuple[float, float]], dict[str, float]]:
        """When and how late the receivers have heard since they were last asked."""
        self.ears.send("tell")
        found: tuple[list[tuple[float, float]], dict[str, float]] = await asyncio.to_thread(self.ears.recv)
        return found

    async def usage(self) -> dict[str, float]:
        """The worker's."""
        self.worker.send("tell")
        found: dict[str, float] = await asyncio.to_thread(self.worker.recv)
        return found

    async def run(self, name: str, owners: list[str], events: float, fan_out: int, seconds: float) -> float:
        """Emits for so long, waits until everything has come, prints a line and returns the 99th percentile."""
        _, ears = await self.heard()
        before, database = await self.usage(), postgres_cpu(self.postmaster)
        here, there = mp.Pipe()
        mp.get_context("spawn").Process(target=emit, args=(self.dsn, owners, events, seconds, there)).start()
        emitter = await asyncio.to_thread(here.recv)
        heard = await self._all_heard()
        after, (_, ears_after) = await self.usage(), await self.heard()
        spent = after["cpu"] - before["cpu"] + postgres_cpu(self.postmaster) - database
        spent += emitter["cpu"] + ears_after["cpu"] - ears["cpu"]
        latencies = sorted(late for _, late in heard)
        moments = [at for at, _ in heard]
        rate = len(heard) / max(seconds, max(moments) - min(moments))
        p50, p95, p99 = (percentile(latencies, percent) for percent in (50, 95, 99))
        cpu = 1000 * (after["cpu"] - before["cpu"]) / len(heard)
        print(
            f"{name:<36} asked {events * fan_out:>5.0f}/s  received {rate:>5.0f}/s  p50 {p50:.3f} s  p95 {p95:.3f} s  "
            f"p99 {p99:.3f} s  CPU each: worker {cpu:.2f} ms, all parts {1000 * spent / len(heard):.2f} ms; "
            f"worker {before['mb']:.0f} → {after['mb']:.0f} MB; load of the machine {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        return p99

    async def _all_heard(self) -> list[tuple[float, float]]:
        """What is heard until a second passes in silence."""
        heard: list[tuple[float, float]] = []
        while news := (await self.heard())[0]:
            heard += news
            await asyncio.sleep(1)
        return heard


def percentile(ordered: list[float], percent: float) -> float:
    """Of an ordered list; 0 where it is empty."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


async def _pending(bench: Bench, count: int) -> None:
    """Deliveries of a stranger that wait for their retry in hours."""
    partner = await new_partner(bench.db)
    endpoint, _ = await partner.endpoint("http://127.0.0.1:9/")
    [event] = await partner.happen(new_id("ord"))
    connection = await asyncpg.connect(bench.dsn)
    now = datetime.now(UTC)
    await connection.execute(
        """insert into deliveries (id, event_id, endpoint_id, type, resource_id, resource_sequence, cause, status,
             attempts, retries, due_at, created_at)
           select 'dlv_' || $4 || lpad(translate(n::text, 'ILOU', 'ABCD'), 16, '0'), $1, $2, 'order.created', 'ord', 1, 'event', 'waiting',
             3, 3, $3::timestamptz + make_interval(secs => 3600 + n % 20000), $3 from generate_series(1, $5::int) n""",
        event, endpoint, now, new_id("dlv")[4:14], count,
    )  # fmt: skip
    await connection.execute("analyze deliveries")
    await connection.close()


async def bench(seconds: float, pending: int) -> None:
    """Every bar, one line each."""
    context = mp.get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="fshnista-bench-") as home,
        EmbeddedPostgres.start(Path(home) / "home") as postgres,
    ):
        await migrate(postgres.dsn)
        db = await Database.open(postgres.dsn)
        ears, ears_there = context.Pipe()
        worker, worker_there = context.Pipe()
        processes = [
            context.Process(target=receive, args=(ears_there,), daemon=True),
            context.Process(target=work, args=(postgres.dsn, worker_there), daemon=True),
        ]
        for process in processes:
            process.start()
        made = Bench(postgres.dsn, db, ears, worker, await asyncio.to_thread(ears.recv), postgres.postmaster)
        await _bars(made, seconds, pending)
        ears.send(None)
        worker.send(False)
        for process in processes:
            await asyncio.to_thread(process.join)
        await db.close()


async def _bars(made: Bench, seconds: float, pending: int) -> None:
    one = [(await made.partner(FAN_OUT))[0]]
    await made.run("warm-up", one, 100, FAN_OUT, 3)
    await made.run("500 a second", one, 500 / FAN_OUT, FAN_OUT, seconds)
    await made.run("1,600 a second", one, 1600 / FAN_OUT, FAN_OUT, seconds)
    many = [await made.partner(1) for _ in range(1000)]
    everyone = [user for user, _ in many]
    await made.run("1,000 endpoints, warm-up", everyone, 500, 1, 4)
    await made.run("1,000 endpoints", everyone, 500, 1, seconds)
    made.ears.send(frozenset(path for _, paths in many[:50] for path in paths))
    await made.run("1,000 endpoints, of which 50 hang", everyone, 500, 1, seconds)
    if pending:
        await _pending(made, pending)
        await made.run(f"500 a second, {pending:,} pending", one, 500 / FAN_OUT, FAN_OUT, seconds)
    holder = await asyncpg.connect(made.dsn)
    transaction = holder.transaction(isolation="repeatable_read")
    await transaction.start()
    await holder.fetchval("select count(*) from webhook_endpoints")
    await made.run("500 a second, an open transaction", one, 500 / FAN_OUT, FAN_OUT, seconds)
    await transaction.rollback()
    await holder.close()


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pending", type=int, default=1_000_000)
    given = parser.parse_args()
    asyncio.run(bench(given.seconds, given.pending))


if __name__ == "__main__":
    main()
