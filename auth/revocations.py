"""What was revoked and has not yet expired, mirrored in memory, so that no request asks the database.

Every process reads what is new each `interval` seconds in one small statement; a revocation is honoured everywhere within that.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic, time
from typing import Final, Literal

import asyncpg
from sqlalchemy import text as sql

from db.sessions import Database, WriteSession

Kind = Literal["token", "family", "client", "key", "keys", "changed"]
Listener = Callable[[Kind, str], Awaitable[None]]

# A transaction that began earlier may become visible later than one that began after it: read this much again.
OVERLAP: Final = timedelta(seconds=30)
_RECENT = (
    "select kind, subject, revoked_at, expires_at, now() as asked_at from revocations "
    "where revoked_at > $1 and expires_at > now()"
)
_ADD = sql(
    "insert into revocations (kind, subject, revoked_at, expires_at) "
    "values (:kind, :subject, now(), now() + make_interval(secs => :seconds)) on conflict (kind, subject) "
    "do update set revoked_at = now(), expires_at = greatest(revocations.expires_at, excluded.expires_at)"
)


class Revocations:
    """The mirror of one process. `listen` is told of each new entry."""

    def __init__(self, db: Database, *, interval: float = 2.0) -> None:
        self._db = db
        self._interval = interval
        self._known: dict[tuple[str, str], tuple[float, float]] = {}
        self._since = datetime(2000, 1, 1, tzinfo=UTC)
        self._listeners: list[Listener] = []
        self._task: asyncio.Task[None] | None = None
        self._read_at = 0.0

    def listen(self, listener: Listener) -> None:
        """Calls `listener` with kind and subject of what is revoked from now on."""
        self._listeners.append(listener)

    @property
    def age(self) -> float:
        """Seconds since the mirror was last seen to agree with the database."""
        return monotonic() - self._read_at

    def covers(self, *, jti: str, family: str | None, client_id: str, issued_at: float) -> bool:
        """Whether a token is revoked: itself, its family, or its client after `issued_at` (seconds since 1970)."""
        known = self._known
        if not known:
            return False
        if ("token", jti) in known or (family is not None and ("family", family) in known):
            return True
        client = known.get(("client", client_id))
        # A token counts whole seconds: one of the very second of the revocation is taken as older.
        return client is not None and issued_at <= client[0]

    def covers_key(self, key_id: str, client_id: str) -> bool:
        """Whether an API key is revoked."""
        return ("key", key_id) in self._known

    async def add(self, session: WriteSession, kind: Kind, subject: str, *, seconds: float) -> None:
        """Revokes within the caller's transaction; to be kept for as long as what it voids could live."""
        await (await session.connection()).execute(_ADD, {"kind": kind, "subject": subject, "seconds": seconds})

    async def revoke(self, kind: Kind, subject: str, *, seconds: float) -> None:
        """Revokes at once, and in this process before it returns."""
        async with self._db.write() as session:
            await self.add(session, kind, subject, seconds=seconds)
        await self.refresh()

    async def refresh(self) -> None:
        """Reads what is new."""
        # Not by `fetch`: this is no statement of the request during which it may happen to run.
        async with self._db.pool.acquire() as connection:
            rows = await connection.fetch(_RECENT, self._since)
        self._read_at = monotonic()
        for row in rows:
            self._since = max(self._since, row["asked_at"] - OVERLAP)
            await self._learn(row)
        now = time()
        for key in [key for key, (_, expires_at) in self._known.items() if expires_at <= now]:
            del self._known[key]

    async def _learn(self, row: asyncpg.Record) -> None:
        key = (row["kind"], row["subject"])
        entry = (row["revoked_at"].timestamp(), row["expires_at"].timestamp())
        if entry > self._known.get(key, (0.0, 0.0)):  # readings overlap: an older one must not undo a newer
            self._known[key] = entry
            for listener in self._listeners:
                await listener(*key)

    async def start(self) -> None:
        """Reads all there is, then keeps reading until `stop`."""
        await self.refresh()
        self._task = asyncio.create_task(self._run(), name="revocations")

    async def stop(self) -> None:
        """Stops reading."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            # The database may be away for a while; `age` tells of it, and the next turn asks again.
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                await self.refresh()
