"""The log of a user's events, read by position: nothing that commits late is skipped, nothing is told twice."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from db.partitions import first_id
from db.sessions import Database

_PREFIX: Final = "feed "
_LARGEST: Final = 2**62
_BEFORE_ALL: Final = f"evt_{0:026}"
_SQL: Final = """
select f.position, e.id as event_id, e.type, e.version, e.occurred_at, e.resource_id, e.resource_sequence, e.payload
from event_feed f join events e on e.id = f.event_id
where f.user_id = $1 and f.position > $2 and ($3::text[] is null or f.type = any($3))
  and ($4::text[] is null or f.storefront_id = any($4)) and f.event_id >= $5
order by f.position limit $6
"""
_NEWEST: Final = "select position, event_id from event_feed where user_id = $1 order by position desc limit 1"


class BadPosition(ValueError):
    """The cursor is not one of this log."""


@dataclass(frozen=True)
class Reading:
    """What is asked of a log. `storefront_ids` None: of every storefront, and of none."""

    user_id: str
    after: int = 0
    types: Sequence[str] | None = None
    storefront_ids: Sequence[str] | None = None
    since: datetime | None = None


async def read(db: Database, asked: Reading, limit: int) -> list[Any]:
    """The next events, oldest first."""
    since = "" if asked.since is None else first_id("evt", asked.since)
    return await db.fetch(_SQL, [asked.user_id, asked.after, asked.types, asked.storefront_ids, since, limit])


async def newest(db: Database, user_id: str) -> tuple[int, str]:
    """Where a user's log ends now: the position and the event that stand there; before everything where it is empty."""
    rows = await db.fetch(_NEWEST, [user_id])
    return (rows[0]["position"], rows[0]["event_id"]) if rows else (0, _BEFORE_ALL)


def cursor(position: int) -> str:
    """A position as callers keep it."""
    return urlsafe_b64encode(f"{_PREFIX}{position}".encode()).decode().rstrip("=")


def position(text: str) -> int:
    """The position that a cursor stands for. BadPosition where it is none of ours."""
    try:
        plain = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
        number = int(plain.removeprefix(_PREFIX)) if plain.startswith(_PREFIX) else -1
    except ValueError as error:
        raise BadPosition(text) from error
    if not 0 <= number <= _LARGEST:
        raise BadPosition(text)
    return number
