"""Word of commits to other processes, by PostgreSQL's NOTIFY.

A NOTIFY inside a busy transaction would make all such commits wait for one lock of the whole cluster, so word is sent after
the commit, on its own, and once for all that came in a moment. A process that dies in between sends none: whoever listens
polls too, only less often.
"""

import asyncio
from contextlib import suppress
from typing import Final

from db.pool import ReadPool
from db.trouble import TROUBLE

MOMENT: Final = 0.01
_NOTIFY: Final = "select pg_notify(channel, word) from unnest($1::text[], $2::text[]) as news(channel, word)"


class Herald:
    """Sends what it is told, soon."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool
        self._news: set[tuple[str, str]] = set()
        self._sending: asyncio.Task[None] | None = None

    def tell(self, news: set[tuple[str, str]]) -> None:
        """News are pairs of a channel and a word."""
        self._news |= news
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())

    async def close(self) -> None:
        """Sends what is left."""
        if self._sending is not None:
            await self._sending

    async def _send(self) -> None:
        while self._news:
            await asyncio.sleep(MOMENT)
            news, self._news = self._news, set()
            with suppress(*TROUBLE):
                async with self._pool.acquire() as connection:
                    await connection.execute(_NOTIFY, [channel for channel, _ in news], [word for _, word in news])
