"""Turns what a read returned into instances of the table classes, without a session behind them."""

from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.orm import ClassManager, configure_mappers
from sqlalchemy.orm.instrumentation import manager_of_class

from db.tables import Table

T = TypeVar("T", bound=Table)


@cache
def columns_of(table: type[Table]) -> tuple[str, ...]:
    """The names of a table's columns, in the order of their declaration."""
    return tuple(column.name for column in Table.metadata.tables[str(table.__tablename__)].columns)


@cache
def is_nullable(table: type[Table], column: str) -> bool:
    """Whether a column may be null."""
    return bool(Table.metadata.tables[str(table.__tablename__)].columns[column].nullable)


@cache
def key_of(table: type[Table]) -> str | None:
    """The column that alone tells a row from all others, or None where it takes several."""
    names = [column.name for column in Table.metadata.tables[str(table.__tablename__)].primary_key]
    return names[0] if len(names) == 1 else None


def select_list(table: type[Table], alias: str) -> str:
    """Every column by name: `t.id, t.handle, …`. A star would break prepared statements when a column is added."""
    return ", ".join(f"{alias}.{name}" for name in columns_of(table))


@cache
def _manager(table: type[Table]) -> ClassManager[Any]:
    configure_mappers()  # a class whose mapper is not configured cannot give its attributes
    manager: ClassManager[Any] = manager_of_class(table)
    return manager


def hydrate(table: type[T], record: asyncpg.Record) -> T:
    """One row as an instance of its table class, read-only by habit: no session will ever write it back."""
    instance: T = _manager(table).new_instance()
    instance.__dict__.update(record.items())
    return instance


def hydrate_part(table: type[T], record: asyncpg.Record, prefix: str) -> T | None:
    """A joined row whose columns have a prefix; None where the join found none."""
    if record[f"{prefix}id"] is None:
        return None
    instance: T = _manager(table).new_instance()
    instance.__dict__.update({name: record[prefix + name] for name in columns_of(table)})
    return instance


def hydrate_all(table: type[T], records: Iterable[asyncpg.Record]) -> list[T]:
    """Many rows, in their order."""
    return [hydrate(table, record) for record in records]
