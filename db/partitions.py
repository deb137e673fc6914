"""The logs are kept by day: days are made ahead, and dropped when they are old. No row is ever deleted.

Days of the ULID-keyed logs are ranges of their ids, since a ULID begins with its time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import asyncpg
from ulid import ULID

AHEAD = 7
_LOCK = 0x66736832  # one keeper at a time per database
_HEAD = 10  # characters of a ULID that are its time


@dataclass(frozen=True)
class Log:
    """A table kept by day. `prefix`: that of the ids it is ranged by, or None where it is ranged by a time."""

    table: str
    prefix: str | None
    days_kept: int = 30


LOGS = (
    Log("events", "evt"),
    Log("event_feed", "evt"),
    Log("deliveries", "dlv"),
    Log("delivery_attempts", "dlv"),
    Log("dispatch_ticks", None, days_kept=2),
    Log("client_uses", None),
)


def first_id(prefix: str, moment: datetime) -> str:
    """The least text that an id made at or after this moment can be."""
    return f"{prefix}_{str(ULID.from_datetime(moment))[:_HEAD]}"


def _bound(log: Log, day: date) -> str:
    start = datetime.combine(day, time(), UTC)
    return start.isoformat() if log.prefix is None else first_id(log.prefix, start)


def _name(log: Log, day: date) -> str:
    return f"{log.table}_{day:%Y%m%d}"


async def keep(connection: asyncpg.Connection, today: date) -> None:
    """Makes the days from yesterday to a week ahead and drops those past their time. Safe to run anywhere, any time."""
    await connection.execute("select pg_advisory_lock($1)", _LOCK)
    try:
        await connection.execute("set lock_timeout = '500ms'")
        present = {
            row[0] for row in await connection.fetch("select tablename from pg_tables where schemaname = 'days'")
        }
        for log in LOGS:
            await _keep(connection, log, today, present)
    finally:
        await connection.execute("reset lock_timeout")
        await connection.execute("select pg_advisory_unlock($1)", _LOCK)


async def _keep(connection: asyncpg.Connection, log: Log, today: date, present: set[str]) -> None:
    wanted = [today + timedelta(days=offset) for offset in range(-1, AHEAD + 1)]
    oldest = _name(log, today - timedelta(days=log.days_kept))
    for day in wanted:
        if _name(log, day) not in present:
            await _make(connection, log, day)
    for name in present:
        if name.startswith(f"{log.table}_2") and name < oldest:
            await _quietly(connection, f"drop table days.{name}")


async def _make(connection: asyncpg.Connection, log: Log, day: date) -> None:
    low, high = _bound(log, day), _bound(log, day + timedelta(days=1))
    sql = f"create table days.{_name(log, day)} partition of {log.table} for values from ('{low}') to ('{high}')"
    await _quietly(connection, sql)


async def _quietly(connection: asyncpg.Connection, sql: str) -> None:
    """Runs it unless somebody is in the way or the catch-all holds rows of that day; the next round tries again."""
    try:
        await connection.execute(sql)
    except (asyncpg.LockNotAvailableError, asyncpg.CheckViolationError):
        return
