"""The delivery worker: dispatches events, claims what is due, sends, records, and looks after the ledger.

Any number may run on any hosts. What one has leased falls to the others when its heartbeat stops.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from ulid import ULID

from db import partitions
from db.sessions import Database
from db.trouble import TROUBLE
from webhooks import dispatch, ledger, patience
from webhooks.addresses import Rules
from webhooks.book import Book
from webhooks.client import Client
from webhooks.courier import Courier
from webhooks.engine import IN_HAND, Engine
from webhooks.lanes import Endpoint
from webhooks.names import Lookup, Names
from webhooks.naps import nap
from webhooks.parcels import Parcel, Tried
from webhooks.policy import Patience, Schedule
from webhooks.signing import Seal
from webhooks.totals import Totals

_log = structlog.get_logger("webhooks")


@dataclass(frozen=True)
class Settings:
    """How a worker works. Times in seconds.

    `lease` must be longer than two timeouts, so that nothing is taken over while it is still being sent. `idle`: how
    often it looks for events that it did not hear of.
    """

    rules: Rules = field(default_factory=Rules)
    schedule: Schedule = field(default_factory=Schedule)
    patience: Patience = field(default_factory=Patience)
    timeout: float = 15.0
    lease: float = 45.0
    poll: float = 0.1
    idle: float = 0.5
    tick: float = 0.04
    linger: float = 0.02


class DeliveryWorker:
    """One worker. `run` returns when `stop` is set and what was under way has been recorded."""

    def __init__(self, db: Database, seal: Seal, settings: Settings, lookup: Lookup | None = None) -> None:
        self._db = db
        self._set = settings
        self._names = Names(settings.rules, lookup)
        self._client = Client(settings.rules, self._names)
        courier = Courier(self._client.post, settings.rules, settings.schedule, settings.timeout)
        self._to_record, self._to_claim, self._to_dispatch = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._engine = Engine(courier, settings.schedule, self._to_record.set)
        self._engine.may_send = lambda: monotonic() < self._lease_until - settings.timeout
        self._book = Book(seal)
        self._stop = asyncio.Event()
        self._id = ""
        self._lease_until = 0.0
        self._doubtful_until = 0.0
        self._look_at = 0.0
        self.totals = Totals()

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set."""
        self._stop = stop
        await self._patiently(self._arrive)
        loops = [
            self._dispatching(),
            self._claiming(),
            self._topping_up(),
            self._beating(),
            self._keeping(),
            self._hearing(),
        ]
        recorder = asyncio.create_task(self._recording())
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(loop) for loop in loops]
        stopped = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait([stopped, recorder, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stopped, *tasks):
                task.cancel()
            await asyncio.gather(stopped, *tasks, return_exceptions=True)
            await self._finish(recorder)
        for task in done - {stopped}:
            task.result()  # a loop never ends but by an error of ours: better dead and seen than half alive

    async def _finish(self, recorder: asyncio.Task[None]) -> None:
        await self._engine.settle()
        recorder.cancel()
        await asyncio.gather(recorder, return_exceptions=True)
        with suppress(*TROUBLE):
            await self._record_all()
            await self._with(ledger.leave, self._id)
        self._client.close()
        self._names.close()

    # The loops. Each goes on through any trouble with the database.

    async def _dispatching(self) -> None:
        while True:
            made = await self._calmly(self._tick_if_needed, 0)
            if made:
                await asyncio.sleep(self._set.tick)
            else:
                await self._nap(self._to_dispatch, self._set.idle)

    async def _claiming(self) -> None:
        full_scan_at = 0.0
        while True:
            now = monotonic()
            everything = now >= full_scan_at
            if everything:
                full_scan_at = now + 60
            since = datetime.fromtimestamp(0, UTC) if everything else datetime.now(UTC) - timedelta(seconds=180)
            most = min(256, IN_HAND - self._engine.in_hand)
            claimed = await self._calmly(lambda: self._claim_due(most, since), 0) if most > 0 else 0  # noqa: B023
            if claimed < max(most, 1):
                await self._nap(self._to_claim, self._set.poll * 2)

    async def _topping_up(self) -> None:
        while True:
            if monotonic() >= self._look_at:
                began = monotonic()
                self._look_at = began + 3600  # news that come meanwhile set it back
                await self._calmly(self._find_queued, None)
                if self._look_at:
                    self._look_at = monotonic() + max(self._set.poll * 10, (monotonic() - began) * 20)
            for lane in self._engine.hungry():
                await self._calmly(lambda: self._top_up(lane), None)  # noqa: B023
            await asyncio.sleep(self._set.poll / 4)

    async def _beating(self) -> None:
        while True:
            await asyncio.sleep(self._set.lease / 5)
            await self._calmly(self._beat, None)

    async def _keeping(self) -> None:
        days_at, review_at = 0.0, 0.0
        while True:
            if monotonic() >= days_at and await self._calmly(self._keep_days, default=False):
                days_at = monotonic() + 3600
            if monotonic() >= review_at and await self._calmly(self._review, default=False):
                review_at = monotonic() + 60
            if await self._calmly(lambda: self._with(ledger.rescue, self._set.lease), 0):
                self._to_claim.set()
            await self._calmly(self._reconcile, None)
            self._client.sweep()
            self._engine.forget_idle()
            await asyncio.sleep(self._set.lease / 5)

    async def _recording(self) -> None:
        while True:
            await self._to_record.wait()
            await asyncio.sleep(self._set.linger)
            self._to_record.clear()
            await self._calmly(self._record_all, None)
            if self._engine.finished or self._engine.returned:
                self._to_record.set()

    async def _hearing(self) -> None:
        """Listens for news of events, endpoints and deliveries made due by hand; polling finds them too, only later."""
        while True:
            with suppress(*TROUBLE):
                await self._hear()
            await asyncio.sleep(1)

    async def _hear(self) -> None:
        async with self._db.pool.acquire() as connection:
            ended = asyncio.Event()
            connection.add_termination_listener(lambda *_: ended.set())
            await connection.add_listener(ledger.CHANNEL, self._heard)
            try:
                await ended.wait()
            finally:
                with suppress(*TROUBLE):
                    await connection.remove_listener(ledger.CHANNEL, self._heard)

    def _heard(self, _connection: object, _pid: int, _channel: str, word: object) -> None:
        if word == ledger.EVENTS:
            self._to_dispatch.set()
            return
        self._to_claim.set()
        self._look_at = 0.0

    # What the loops do.

    async def _tick_if_needed(self) -> int:
        async with self._db.pool.acquire() as connection:
            if not await dispatch.pending(connection):
                return 0
            tick = await dispatch.tick(connection, self._id, self._book.read, self._engine.room)
            if tick is None:
                return 0
            self.totals.events += tick.events
            self._engine.take(tick.parcels)
            if tick.left_for_others and self._engine.share > 1:
                await connection.execute("select pg_notify($1, 'queued')", ledger.CHANNEL)
            return tick.events

    async def _claim_due(self, most: int, since: datetime) -> int:
        async with self._db.pool.acquire() as connection:
            parcels = await ledger.claim_due(connection, self._id, most, since)
            await self._sort_out(connection, parcels)
        return len(parcels)

    async def _top_up(self, lane: Any) -> None:
        async with self._db.pool.acquire() as connection:
            current = await self._book.find(connection, [lane.endpoint.id])
            endpoint = current.get(lane.endpoint.id)
            if endpoint is not None:
                lane.endpoint = endpoint
            most = min(lane.room(), IN_HAND - self._engine.in_hand) if endpoint is not None else 100
            if most <= 0:
                return
            parcels = await ledger.claim_queued(connection, self._id, most, lane.endpoint.id)
            lane.more_queued = len(parcels) == most
            await self._sort_out(connection, parcels, {endpoint.id: endpoint} if endpoint is not None else {})

    async def _find_queued(self) -> None:
        async with self._db.pool.acquire() as connection:
            ids = await ledger.queued_endpoints(connection)
            known = await self._book.find(connection, ids) if ids else {}
            for endpoint_id in ids:
                if endpoint_id in known:
                    self._engine.lane(known[endpoint_id]).more_queued = True
                else:
                    orphans = await ledger.claim_queued(connection, self._id, 500, endpoint_id)
                    await ledger.cancel(connection, self._id, orphans, "the endpoint was deleted")

    async def _sort_out(
        self, connection: Any, parcels: Sequence[Parcel], known: dict[str, Endpoint] | None = None
    ) -> None:
        """Sends what can be sent; the rest waits for its endpoint, or ends with it."""
        if not parcels:
            return
        if known is None:
            known = await self._book.find(connection, sorted({parcel.endpoint_id for parcel in parcels}))
        dead = [
            p for p in parcels if not p.body or p.endpoint_id not in known or known[p.endpoint_id].status == "disabled"
        ]
        ended = {parcel.id for parcel in dead}
        go: list[Parcel] = []
        wait: list[Parcel] = []
        room = {endpoint.id: self._engine.lane(endpoint).room() for endpoint in known.values()}
        for parcel in parcels:
            if parcel.id in ended:
                continue
            (go if room[parcel.endpoint_id] > 0 else wait).append(parcel)
            room[parcel.endpoint_id] -= 1
        self._engine.take(go)
        for parcel in wait:
            self._engine.lanes[parcel.endpoint_id].more_queued = True
        if wait:
            await ledger.put_back(connection, self._id, [parcel.id for parcel in wait], status="queued")
        if dead:
            await ledger.cancel(connection, self._id, dead, "the endpoint or the event is no more")

    async def _record_all(self) -> None:
        while self._engine.finished or self._engine.returned:
            # Whoever drops everything puts new lists in their place, so these are emptied only of what was recorded.
            all_tried, all_returned = self._engine.finished, self._engine.returned
            tried, returned = all_tried[:500], all_returned[:]
            async with self._db.pool.acquire() as connection:
                if tried and await ledger.record(connection, self._id, tried):
                    self._to_claim.set()
                if returned:
                    await ledger.put_back(connection, self._id, returned, status="queued")
                await self._note_health(connection, tried)
            del all_tried[: len(tried)]
            del all_returned[: len(returned)]
            for item in tried:
                self.totals.count(item)
            for endpoint_id in {item.parcel.endpoint_id for item in tried if item.outcome == "gone"}:
                await patience.disable(self._db, endpoint_id, "it answered 410 Gone")

    async def _note_health(self, connection: Any, tried: Sequence[Tried]) -> None:
        """Keeps `failing_since` true, at most once a minute for an endpoint where nothing turns."""
        well = {item.parcel.endpoint_id for item in tried if item.outcome == "delivered"}
        ill = {item.parcel.endpoint_id for item in tried} - well
        now = monotonic()
        for ids, failing in ((well, False), (ill, True)):
            due = []
            for endpoint_id in ids:
                lane = self._engine.lanes.get(endpoint_id)
                if lane is None or lane.endpoint.failing != failing or now > lane.noted_at + 60:
                    due.append(endpoint_id)
                if lane is not None and endpoint_id in due:
                    lane.noted_at = now
            if due:
                await ledger.note_health(connection, due, failing=failing)

    async def _beat(self) -> None:
        began = monotonic()
        alive = await self._with(ledger.beat, self._id, self._set.lease, self.totals.as_json())
        if alive:
            self._engine.share, self._lease_until = alive, began + self._set.lease
            return
        _log.warning("webhook_lease_lost", worker=self._id)
        self._engine.drop_everything()
        await self._arrive()

    async def _arrive(self) -> None:
        worker, began = f"{socket.gethostname()}-{ULID()}", monotonic()
        await self._with(ledger.arrive, worker, socket.gethostname())
        self._id, self._lease_until = worker, began + self._set.lease

    async def _keep_days(self) -> bool:
        async with self._db.pool.acquire() as connection:
            await partitions.keep(connection, datetime.now(UTC).date())
        return True

    async def _review(self) -> bool:
        await patience.review(self._db, self._set.patience)
        return True

    async def _reconcile(self) -> None:
        """After trouble with the database: a commit whose answer was lost may have leased what never got here."""
        if not self._doubtful_until or monotonic() < self._doubtful_until:
            return
        async with self._db.pool.acquire() as connection:
            leased = await ledger.leased_by(connection, self._id)
            strays = [one for one in leased if one not in self._engine.holding()]
            await ledger.put_back(connection, self._id, strays, status="waiting")
        self._doubtful_until = 0.0

    async def _with(self, act: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        async with self._db.pool.acquire() as connection:
            return await act(connection, *arguments)

    async def _calmly(self, act: Callable[[], Awaitable[Any]], default: Any) -> Any:
        """Does it; where the database is away, waits a little and returns `default`."""
        try:
            return await act()
        except TROUBLE as error:
            self._doubtful_until = monotonic() + 2
            _log.warning("webhook_database_trouble", error=str(error) or type(error).__name__)
            await asyncio.sleep(0.3)
            return default

    async def _patiently(self, act: Callable[[], Awaitable[Any]]) -> None:
        while not self._stop.is_set():
            try:
                await act()
            except TROUBLE as error:
                _log.warning("webhook_database_trouble", error=str(error) or type(error).__name__)
                await asyncio.sleep(0.5)
            else:
                return

    async def _nap(self, event: asyncio.Event, seconds: float) -> None:
        await nap(event, seconds)
        event.clear()
