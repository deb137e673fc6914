"""The streams that are open in this process: how many a client may have, and when each of them must end."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import Context
from types import TracebackType
from typing import Final, Self

from auth.errors import RateLimited, Unauthenticated
from auth.limits import POLICIES
from auth.viewer import Viewer

Recheck = Callable[[], Awaitable[None]]
RECHECK_SECONDS: Final = 2.0


class TooManyStreams(RateLimited):
    """The client has as many streams open as it may."""

    def __init__(self, most: int) -> None:
        super().__init__(5)
        self.message = f"You have {most} streams open here, which is the most; close one first."
        self.args = (self.message,)


class ServerStops(Exception):
    """The server is about to stop; the reader goes on elsewhere, from where it stands."""


class Stream:
    """One open stream or socket. `ended` gets the reason when it must end: Unauthenticated or ServerStops."""

    def __init__(self, streams: "OpenStreams", client_id: str, recheck: Recheck) -> None:
        self.client_id, self.recheck = client_id, recheck
        self.ended: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._streams = streams

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._streams.remove(self)

    def end(self, reason: Exception) -> None:
        """Asks its server to end it."""
        if not self.ended.done():
            self.ended.set_result(reason)


class OpenStreams:
    """A client may have as many streams open in a process as its tier may make requests in a minute.

    Credentials are looked at again every `every` seconds, all streams in one go.
    """

    def __init__(self, *, every: float = RECHECK_SECONDS) -> None:
        self._every = every
        self._open: set[Stream] = set()
        self._by_client: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def __len__(self) -> int:
        return len(self._open)

    def open(self, viewer: Viewer, recheck: Recheck) -> Stream:
        """A stream of this viewer's, to be entered at once; raises TooManyStreams. `recheck` raises Unauthenticated."""
        policy = POLICIES.get(viewer.tier)
        if policy is not None and self._by_client[viewer.client_id] >= policy.quota:
            raise TooManyStreams(policy.quota)
        stream = Stream(self, viewer.client_id, recheck)
        self._open.add(stream)
        self._by_client[viewer.client_id] += 1
        if self._closing:
            stream.end(ServerStops())
        if self._task is None:
            self._task = asyncio.create_task(self._watch(), name="open streams", context=Context())
        return stream

    def remove(self, stream: Stream) -> None:
        """It has ended. With the last one the watching ends."""
        self._open.discard(stream)
        self._by_client[stream.client_id] -= 1
        if not self._by_client[stream.client_id]:
            del self._by_client[stream.client_id]
        if not self._open and self._task is not None:
            self._task.cancel()
            self._task = None

    def close(self) -> None:
        """The server stops: every stream ends, and those that are still to come."""
        self._closing = True
        for stream in self._open:
            stream.end(ServerStops())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            for stream in list(self._open):
                await _look(stream)


async def _look(stream: Stream) -> None:
    try:
        await stream.recheck()
    except Unauthenticated as reason:
        stream.end(reason)
