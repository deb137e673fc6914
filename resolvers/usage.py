"""What each client uses of the API: noted in memory, written every few seconds, so that no request waits for it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Final

from sqlalchemy import text as sql

from db.sessions import Database

SECONDS: Final = 5.0
DAYS: Final = 30
MOST_NOTES = 50_000  # of one process between two writes; what goes beyond is not counted
_LONGEST_NAME, _BATCH = 100, 5_000
_WRITE = """
insert into client_uses (client_id, coordinate, day, count, last_used_at, operation)
select client_id, coordinate, date_trunc('day', now(), 'UTC'), count, now(), operation
from unnest(cast(:clients as text[]), cast(:coordinates as text[]), cast(:counts as bigint[]), cast(:operations as text[]))
  as used (client_id, coordinate, count, operation)
on conflict (client_id, coordinate, day) do update
set count = client_uses.count + excluded.count, last_used_at = excluded.last_used_at,
    operation = coalesce(nullif(excluded.operation, ''), client_uses.operation)
"""
_READ = f"""
select coordinate, sum(count)::bigint as count, max(last_used_at) as last_used_at,
       array_remove(array_agg(distinct operation), '') as operations
from client_uses where client_id = $1 and day >= now() - interval '{DAYS} days' group by coordinate
"""
_Note = tuple[str, frozenset[str], str]


@dataclass(frozen=True)
class Used:
    """A client's use of one coordinate in the last 30 days."""

    count: int
    last_used_at: datetime
    operations: tuple[str, ...]


class UsageLog:
    """One process's notes, and the way to everyone's."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._notes: dict[_Note, int] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, db: Database) -> AsyncIterator["UsageLog"]:
        """Writes every few seconds while the block runs, and once more at its end."""
        log = cls(db)
        writing = asyncio.create_task(log._write_now_and_then(), name="usage of the API")
        try:
            yield log
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            with suppress(Exception):
                await log.write()

    def note(self, client_id: str, used: frozenset[str], operation: str = "") -> None:
        """A request of this client used these coordinates; `operation` is the name it gave to what it sent."""
        key = (client_id, used, operation[:_LONGEST_NAME])
        count = self._notes.get(key, 0)
        if count or len(self._notes) < MOST_NOTES:
            self._notes[key] = count + 1

    async def write(self) -> None:
        """Writes what was noted; where that fails it is kept for the next turn."""
        notes, self._notes = self._notes, {}
        rows = _rows(notes)
        try:
            await self._write(rows)
        except Exception:
            for key, count in islice(notes.items(), MOST_NOTES - len(self._notes)):
                self._notes[key] = self._notes.get(key, 0) + count
            raise

    async def of(self, client_id: str) -> Mapping[str, Used]:
        """What a client used in the last 30 days, by coordinate, this very moment included."""
        await self.write()
        rows = await self._db.fetch(_READ, [client_id])
        return {
            row["coordinate"]: Used(row["count"], row["last_used_at"], tuple(sorted(row["operations"]))) for row in rows
        }

    async def _write(self, rows: Iterator[tuple[str, str, int, str]]) -> None:
        first = list(islice(rows, _BATCH))
        if not first:
            return
        async with self._db.write() as session:
            connection = await session.connection()
            for batch in chain([first], iter(lambda: list(islice(rows, _BATCH)), [])):
                columns = zip(*batch, strict=True)
                values = dict(zip(("clients", "coordinates", "counts", "operations"), map(list, columns), strict=True))
                await connection.execute(sql(_WRITE), values)

    async def _write_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            # The notes are kept where the database is away; the next turn has them.
            with suppress(Exception):
                await self.write()


def _rows(notes: Mapping[_Note, int]) -> Iterator[tuple[str, str, int, str]]:
    """One row a client and coordinate, in one order in every process, so that two never wait for each other."""
    found: dict[tuple[str, str], tuple[int, str]] = {}
    for (client_id, used, operation), count in notes.items():
        for coordinate in used:
            before, name = found.get((client_id, coordinate), (0, ""))
            found[client_id, coordinate] = before + count, operation or name
    for (client_id, coordinate), (count, operation) in sorted(found.items()):
        yield client_id, coordinate, count, operation
