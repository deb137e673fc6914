"""Keeps recommendations fresh beside the deliveries: rounds as long as there is work, then a look each second."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic

import asyncpg
import structlog

from db.recommend import rounds
from db.sessions import Database
from db.trouble import TROUBLE
from webhooks.naps import nap

_POLL, _AGAIN, _LOOK_FOR_OLD = 1.0, 2.0, 60.0  # seconds
_log = structlog.get_logger("recommendations")


class Refresher:
    """One worker's share. Any number may run: who finds another at it waits."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._most = rounds.COUNTS
        self._look_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set; the round under way is finished."""
        while not stop.is_set():
            pause = await self._round()
            await nap(stop, pause)

    async def _round(self) -> float:
        """One round. Returns how long to rest: a while, so that the database's other users come first."""
        began = monotonic()
        try:
            async with self._db.pool.acquire() as connection:
                done = await rounds.refresh(connection, datetime.now(UTC), most=self._most)
                if done is None or not done.tasks:
                    await self._look_for_old(connection)
                    return _POLL
        except rounds.Refused as refused:
            await self._narrow_down(refused)
            return 0.1
        except TROUBLE as error:
            _log.warning("recommendations_database_trouble", error=str(error) or type(error).__name__)
            return _AGAIN
        self._most = min(rounds.COUNTS, self._most * 2)
        return max(0.01, (monotonic() - began) / 4)

    async def _look_for_old(self, connection: asyncpg.Connection) -> None:
        if monotonic() >= self._look_at:
            self._look_at = monotonic() + _LOOK_FOR_OLD
            await rounds.ask_for_the_old(connection, datetime.now(UTC))

    async def _narrow_down(self, refused: rounds.Refused) -> None:
        """A task whose data the database refuses must not keep all others waiting: found by halves, it is dropped."""
        self._most = max(1, self._most // 4)
        if len(refused.tasks) == 1:
            _log.error("recommendations_task_dropped", task=refused.tasks, error=str(refused))
            with suppress(*TROUBLE):
                async with self._db.pool.acquire() as connection:
                    await rounds.drop(connection, refused.tasks)
