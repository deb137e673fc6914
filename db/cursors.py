"""Keyset cursors: the sort they belong to, and the place of one row in it.

A cursor is `SORT id key` in unpadded base64url. The same bytes are made here and by SQL (`cursor_sql`), so both ways of
answering a query give the same page marks.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from db.ids import noun_of

DEFAULT_PAGE, LARGEST_PAGE = 20, 100
_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,20})?")


@dataclass(frozen=True)
class Sort:
    """An order that lists can be read in. `column` None: by id alone, which is the order of creation.

    `id`: the column with the id that breaks ties; only stock has another than `id`.
    """

    name: str
    column: str | None = None
    kind: type = str
    descending: bool = False
    id: str = "id"


@dataclass(frozen=True)
class Cursor:
    """One row's place in a sort."""

    id: str
    key: Any = None


class BadCursor(ValueError):
    """The cursor is not one of ours, or belongs to another sort."""


def rfc3339(moment: datetime) -> str:
    """A moment in UTC to the millisecond: `2026-11-23T09:30:00.125Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def key_text(value: Any) -> str:
    """A sort key as it stands in a cursor."""
    return rfc3339(value) if isinstance(value, datetime) else str(value)


def encode(sort: Sort, row: Any) -> str:
    """The cursor of a row."""
    key = "" if sort.column is None else key_text(getattr(row, sort.column))
    return urlsafe_b64encode(f"{sort.name} {getattr(row, sort.id)} {key}".encode()).decode().rstrip("=")


def cursor_sql(sort: Sort, t: str) -> str:
    """The same cursor, as an SQL expression over alias `t`."""
    text = f"'{sort.name} ' || {t}.{sort.id} || ' '"
    if sort.column is not None:
        text += f" || {_key_sql(sort, t)}"
    return rf"translate(encode(convert_to({text}, 'UTF8'), 'base64'), E'+/=\n', '-_')"


def _key_sql(sort: Sort, t: str) -> str:
    if sort.kind is datetime:
        return f"""to_char({t}.{sort.column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
    return f"{t}.{sort.column}::text"


def decode(sort: Sort, cursor: str) -> Cursor:
    """Reads a cursor of this sort."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        name, id_, key = text.split(" ", 2)
        if name != sort.name or noun_of(id_) is None:
            raise BadCursor(cursor)
        return Cursor(id_, None if sort.column is None else _parse(sort, key))
    except ValueError as error:
        raise BadCursor(cursor) from error


def _parse(sort: Sort, key: str) -> Any:
    if "\0" in key:
        raise BadCursor(key)
    if sort.kind is datetime:
        return datetime.strptime(key, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    if sort.kind is Decimal:
        if not _DECIMAL.fullmatch(key):
            raise BadCursor(key)
        return Decimal(key)
    if sort.kind is int:
        return _whole(int(key))
    return key


def _whole(number: int) -> int:
    if not -(2**63) <= number < 2**63:
        raise BadCursor(str(number))
    return number
