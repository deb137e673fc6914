"""Moves parcels along their lanes and hands what came of each attempt to the recorder. Knows no database."""

import asyncio
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Final

from webhooks.courier import Courier, as_gone
from webhooks.lanes import Endpoint, Lane
from webhooks.parcels import Parcel, Tried
from webhooks.policy import Schedule, throttles

IN_HAND: Final = 5000  # parcels in a worker's hands
_COOLDOWN: Final = 30.0
_FORGOTTEN_AFTER: Final = 300.0


class Engine:
    """The lanes of one worker. `finished` collects attempts; `returned` the ids of parcels given back untried."""

    def __init__(self, courier: Courier, schedule: Schedule, wake: Callable[[], None]) -> None:
        self._courier = courier
        self._cooldown = min(_COOLDOWN, max(schedule.longest, 0.05))
        self._wake = wake
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending: set[str] = set()
        self.lanes: dict[str, Lane] = {}
        self.finished: list[Tried] = []
        self.returned: list[str] = []
        self.in_hand = 0
        self.share = 1  # workers that send to the same endpoints
        self.may_send: Callable[[], bool] = lambda: True

    def lane(self, endpoint: Endpoint) -> Lane:
        """The lane of an endpoint, knowing it as it is now."""
        lane = self.lanes.get(endpoint.id)
        if lane is None:
            lane = self.lanes[endpoint.id] = Lane(endpoint, self._cooldown)
        lane.endpoint, lane.used_at = endpoint, monotonic()
        return lane

    def room(self, endpoint: Endpoint) -> int:
        """How many parcels for this endpoint may come now."""
        lane = self.lane(endpoint)
        room = max(0, min(lane.room(), IN_HAND - self.in_hand))
        lane.more_queued = lane.more_queued or room == 0
        return 0 if lane.more_queued else room  # what came first waits in the ledger: keep behind it

    def take(self, parcels: Iterable[Parcel]) -> None:
        """Puts parcels on their lanes and starts what may start."""
        touched = set()
        for parcel in parcels:
            self.lanes[parcel.endpoint_id].queue.append(parcel)
            self.in_hand += 1
            touched.add(parcel.endpoint_id)
        for endpoint_id in touched:
            self._pump(self.lanes[endpoint_id])

    def give_back(self, lane: Lane) -> None:
        """Empties a lane into the ledger: another worker, or a later time, may send it."""
        self.returned.extend(parcel.id for parcel in lane.queue)
        self.in_hand -= len(lane.queue)
        lane.more_queued = lane.more_queued or bool(lane.queue)
        lane.queue.clear()
        self._wake()

    def holding(self) -> set[str]:
        """The ids of every parcel this worker knows of."""
        waiting = {parcel.id for lane in self.lanes.values() for parcel in lane.queue}
        return waiting | self._sending | {item.parcel.id for item in self.finished} | set(self.returned)

    def drop_everything(self) -> None:
        """Forgets every parcel: this worker's lease was lost, they are somebody else's now."""
        for lane in self.lanes.values():
            self.in_hand -= len(lane.queue)
            lane.queue.clear()
        self.finished, self.returned = [], []

    async def settle(self) -> None:
        """Waits for what is under way."""
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def forget_idle(self) -> None:
        """Lets lanes go that have nothing to remember."""
        long_ago = monotonic() - _FORGOTTEN_AFTER
        for endpoint_id, lane in list(self.lanes.items()):
            kept = lane.queue or lane.active or lane.failures or lane.more_queued or lane.used_at > long_ago
            if not kept:
                del self.lanes[endpoint_id]

    def _pump(self, lane: Lane) -> None:
        if lane.endpoint.status != "enabled":
            if lane.queue:
                self.give_back(lane)
            return
        while lane.queue and lane.active < lane.limit(self.share):
            if lane.timer is not None:
                return
            wait = lane.wait_for_token(self.share)
            if wait:
                lane.timer = asyncio.get_running_loop().call_later(wait, self._tokens_came, lane)
                return
            parcel = lane.queue.popleft()
            lane.active += 1
            self._sending.add(parcel.id)
            task = asyncio.create_task(self._run(lane, parcel))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _tokens_came(self, lane: Lane) -> None:
        lane.timer = None
        self._pump(lane)

    async def _run(self, lane: Lane, parcel: Parcel) -> None:
        try:
            if not self.may_send():
                self.returned.append(parcel.id)  # the lease may end before an answer would come
                self._wake()
                return
            tried = await self._courier.attempt(parcel, lane.endpoint)
            self._judge(lane, tried)
            self.finished.append(tried)
            self._wake()
        finally:
            self._sending.discard(parcel.id)
            lane.active -= 1
            self.in_hand -= 1
            self._pump(lane)

    def _judge(self, lane: Lane, tried: Tried) -> None:
        if tried.outcome == "delivered":
            lane.succeeded()
            return
        if tried.outcome == "gone":
            lane.endpoint = as_gone(lane.endpoint)
        if lane.failed(throttled=throttles(tried.status)):
            self.give_back(lane)

    def hungry(self) -> list[Lane]:
        """Lanes that have emptied by half while more waits for them in the ledger."""
        return [lane for lane in self.lanes.values() if lane.more_queued and lane.room() > 0 and len(lane.queue) < 100]
