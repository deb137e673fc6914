"""What may be used once: the names of DPoP proofs and of challenges, remembered until they are too old to be used anyway."""

from datetime import UTC, datetime, timedelta
from time import monotonic, time
from typing import Final, Protocol

from sqlalchemy import text as sql
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from db.sessions import Database

RETRY_SECONDS: Final = 1.0
_MOST_KEPT: Final = 200_000


class Replays(Protocol):
    """Remembers names. `whole_since` (seconds since 1970): what was used earlier may not all be remembered here."""

    whole_since: float

    async def first_use(self, name: bytes, seconds: int) -> bool:
        """Whether this name comes for the first time; it is remembered for so long from now."""

    async def close(self) -> None:
        """Lets connections go."""


class ProcessReplays:
    """In this process alone."""

    whole_since = 0.0

    def __init__(self) -> None:
        self._seen: dict[bytes, float] = {}

    async def first_use(self, name: bytes, seconds: int) -> bool:
        """A look into a dict."""
        now = monotonic()
        if self._seen.get(name, 0) > now:
            return False
        if len(self._seen) >= _MOST_KEPT:
            self._seen = {kept: until for kept, until in self._seen.items() if until > now}
        self._seen[name] = now + seconds
        return True

    async def close(self) -> None:
        """Nothing is held."""


class DatabaseReplays:
    """In the database: one transaction for each name."""

    whole_since = 0.0

    def __init__(self, db: Database) -> None:
        self._db = db

    async def first_use(self, name: bytes, seconds: int) -> bool:
        """An insert, which meets itself where the name was used."""
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        async with self._db.write() as session:
            connection = await session.connection()
            await connection.execute(sql("delete from used_assertions where expires_at < now()"))
            found = await connection.execute(
                sql("insert into used_assertions (hash, expires_at) values (:hash, :until) on conflict do nothing"),
                {"hash": name, "until": until},
            )
            return found.rowcount == 1

    async def close(self) -> None:
        """Nothing is held."""


class ValkeyReplays:
    """In the Valkey that all processes share; in the database while it is away, and in both for a while after.

    `settling`: for how many seconds names are remembered at most. When Valkey goes, what it knew is lost to us: `whole_since`
    says from when on the database has seen every use.
    """

    def __init__(self, url: str, db: Database, *, settling: int, timeout: float = 2.0) -> None:
        self._valkey = Valkey.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout)
        self._database, self._settling = DatabaseReplays(db), settling
        self._away_until = self._both_until = 0.0
        self._away = False
        self.whole_since = 0.0

    async def first_use(self, name: bytes, seconds: int) -> bool:
        """One round trip."""
        if monotonic() < self._away_until:
            return await self._database.first_use(name, seconds)
        try:
            fresh = bool(await self._valkey.set(b"fshnista:used:" + name, b"1", nx=True, ex=seconds))
        except (ValkeyError, OSError, TimeoutError):
            self._lost()
            return await self._database.first_use(name, seconds)
        if self._away:
            self._away, self._both_until = False, monotonic() + self._settling
        # In this order, or of two that come at once each could find the other.
        if fresh and monotonic() < self._both_until:
            return await self._database.first_use(name, seconds)
        return fresh

    def _lost(self) -> None:
        if not self._away and monotonic() >= self._both_until:
            self.whole_since = time()
        self._away, self._away_until = True, monotonic() + RETRY_SECONDS

    async def close(self) -> None:
        """Lets connections go."""
        await self._valkey.aclose()
