"""Wakes whoever waits for news in a user's log.

One small read a process finds what every tick of the dispatcher told and to whom, however many wait; where nobody waits,
nothing is read. It needs no LISTEN, so it works through a pooler and on every database that speaks PostgreSQL.
"""

import asyncio
from types import TracebackType
from typing import Final, Self

from db.sessions import Database
from db.trouble import TROUBLE

_NEWEST: Final = "select coalesce((select id from dispatch_ticks order by id desc limit 1), 0)"
_SINCE: Final = "select id, users from dispatch_ticks where id > $1 order by id"


class Ear:
    """One waiter: hears of news in one user's log from when it is entered until it is left."""

    def __init__(self, bell: "Bell", user_id: str) -> None:
        self.user_id = user_id
        self._bell, self._rung = bell, asyncio.Event()

    def __enter__(self) -> Self:
        self._bell.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stops listening."""
        self._bell.remove(self)

    def ring(self) -> None:
        """There may be news."""
        self._rung.set()

    def clear(self) -> None:
        """Forgets what was heard: to be called before the log is read, so that what comes meanwhile is heard."""
        self._rung.clear()

    async def wait(self) -> None:
        """Until there may be news."""
        await self._rung.wait()


class Bell:
    """The bell of one process. `every`: seconds between two looks."""

    def __init__(self, db: Database, *, every: float = 0.1) -> None:
        self._db, self._every = db, every
        self._ears: dict[str, set[Ear]] = {}
        self._task: asyncio.Task[None] | None = None

    def listen(self, user_id: str) -> Ear:
        """Somebody who wants to hear of this user's log."""
        return Ear(self, user_id)

    def add(self, ear: Ear) -> None:
        """Begins to look with the first ear."""
        self._ears.setdefault(ear.user_id, set()).add(ear)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="bell")

    def remove(self, ear: Ear) -> None:
        """Without ears the looking ends by itself, and no read is broken off."""
        ears = self._ears.get(ear.user_id, set())
        ears.discard(ear)
        if not ears:
            self._ears.pop(ear.user_id, None)

    async def _run(self) -> None:
        newest: int | None = None
        while self._ears:
            try:
                newest = await self._look(newest)
            except TROUBLE:
                newest = None
            await asyncio.sleep(self._every)

    async def _look(self, newest: int | None) -> int:
        # Not by `fetch`: this is no statement of the request during which it may happen to run.
        async with self._db.pool.acquire() as connection:
            if newest is None:
                newest = int(await connection.fetchval(_NEWEST))
                self._ring(None)  # what came before the first look, or while the database was away
                return newest
            for row in await connection.fetch(_SINCE, newest):
                self._ring(row["users"])
                newest = row["id"]
        return newest

    def _ring(self, users: list[str] | None) -> None:
        """Rings for these users; None: for all."""
        for user_id in list(self._ears) if users is None else users:
            for ear in self._ears.get(user_id, ()):
                ear.ring()
