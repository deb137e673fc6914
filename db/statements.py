"""From a declared relation to the SQL that follows it for a whole batch of parents at once."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from db.cursors import Sort
from db.model import CREATED_ASC, Aggregate, Entity, Relation
from db.rows import columns_of, select_list
from db.rules import Bind, Sight, Visibility

CASTS = {str: "text", int: "bigint", datetime: "timestamptz", Decimal: "numeric"}


@dataclass(frozen=True)
class Given:
    """A value that is handed over by this name when the statement runs."""

    name: str


KEYS, LIMIT = Given("keys"), Given("limit")


@dataclass(frozen=True)
class Mark:
    """Where a page starts or ends: the sources of a row's id and of its sort key."""

    id: Hashable
    key: Hashable = None


@dataclass(frozen=True)
class Window:
    """Which rows of a list are asked for, as sources of values: the values themselves come when the statement runs."""

    limit: Hashable = LIMIT
    sort: Sort = CREATED_ASC
    backwards: bool = False
    after: Mark | None = None
    before: Mark | None = None
    filters: tuple[tuple[str, Hashable], ...] = ()


@dataclass(frozen=True)
class Statement:
    """SQL and where each of its parameters comes from."""

    sql: str
    sources: tuple[Hashable, ...]


def conditions(relation: Relation[Any], t: str, window: Window, sight: Sight, bind: Bind) -> str:
    """Everything that decides whether a row belongs to the list: rule, nature of the relation, filters, page marks."""
    parts = [relation.seen.sql(t, sight, bind)]
    if relation.where:
        parts.append(relation.where.format(t=t))
    made_from = relation.made.given if relation.made is not None else ""
    parts += [
        relation.target.filters[name].sql.format(t=t, v=bind(value))
        for name, value in window.filters
        if name != made_from
    ]
    if window.after is not None:
        parts.append(_beyond(window.sort, t, window.after, bind, forward=True))
    if window.before is not None:
        parts.append(_beyond(window.sort, t, window.before, bind, forward=False))
    return " and ".join(part for part in parts if part != "true") or "true"


def rows_of(relation: Relation[Any], window: Window, sight: Sight, bind: Bind) -> str:
    """Where a relation's rows come from: its table, or the query that makes them from an argument's values."""
    if relation.made is None:
        return str(relation.target.table.__tablename__)
    given = f"{bind(dict(window.filters)[relation.made.given])}::text[]"
    return f"({relation.made.sql.format(given=given, seen=relation.made.seen.sql('s', sight, bind))})"


def _beyond(sort: Sort, t: str, mark: Mark, bind: Bind, *, forward: bool) -> str:
    sign = "<" if sort.descending == forward else ">"
    if sort.column is None:
        return f"{t}.{sort.id} {sign} {bind(mark.id)}::text"
    key = f"{bind(mark.key)}::{CASTS[sort.kind]}"
    return f"({t}.{sort.column}, {t}.{sort.id}) {sign} ({key}, {bind(mark.id)}::text)"


def order_by(sort: Sort, t: str, *, backwards: bool = False) -> str:
    """The order of a sort, turned round for pages read from the end."""
    direction = " desc" if sort.descending != backwards else ""
    columns = [sort.id] if sort.column is None else [sort.column, sort.id]
    return ", ".join(f"{t}.{column}{direction}" for column in columns)


def joined(relation: Relation[Any], t: str, key: str) -> str:
    """The join itself: the far column against an expression for the near one."""
    return f"{t}.{relation.far} = {key}"


@lru_cache(maxsize=2000)
def by_key(entity: Entity[Any], column: str, sight: Sight, seen: Visibility) -> Statement:
    """Rows whose `column` is among the keys."""
    bind = Bind()
    where = f"t.{column} = any({bind(KEYS)}::text[]) and {seen.sql('t', sight, bind)}"
    sql = f"select {select_list(entity.table, 't')} from {entity.table.__tablename__} t where {where}"
    return Statement(sql, bind.sources)


@lru_cache(maxsize=200)
def with_parts(
    entity: Entity[Any], ones: tuple[Relation[Any], ...], values: tuple[Aggregate, ...], sight: Sight
) -> Statement:
    """One row by id together with rows at the far end of `ones` (columns `o0.id`, …) and aggregates (`v0`, …)."""
    bind = Bind()
    columns, joins = [select_list(entity.table, "t")], [f"{entity.table.__tablename__} t"]
    for place, relation in enumerate(ones):
        o: str = f"o{place}"
        table: Any = relation.target.table
        columns += [f'{o}.{name} as "{o}.{name}"' for name in columns_of(table)]
        on = f"{joined(relation, o, f't.{relation.near}')} and {conditions(relation, o, Window(), sight, bind)}"
        joins.append(f"left join {table.__tablename__} {o} on {on}")
    columns += [f"{_value(item, sight, bind)} as v{place}" for place, item in enumerate(values)]
    where = f"t.id = {bind(KEYS)}::text and {entity.visible.sql('t', sight, bind)}"
    return Statement(f"select {', '.join(columns)} from {' '.join(joins)} where {where}", bind.sources)


def _value(item: Aggregate, sight: Sight, bind: Bind) -> str:
    relation = item.relation
    where = f"{joined(relation, 'a', f't.{relation.near}')} and {conditions(relation, 'a', Window(), sight, bind)}"
    return f"(select {item.value.format(t='a')} from {relation.target.table.__tablename__} a where {where})"


@lru_cache(maxsize=2000)
def page(relation: Relation[Any], window: Window, sight: Sight) -> Statement:
    """One page for each parent key (`_key`), or of the whole list where the relation has no parent."""
    bind = Bind()
    keys = bind(KEYS) if relation.source is not None else ""
    source = rows_of(relation, window, sight, bind)
    where = conditions(relation, "t", window, sight, bind)
    if relation.source is not None:
        where = f"{joined(relation, 't', 'k.key')} and {where}"
    rows = (
        f"select {select_list(relation.target.table, 't')} from {source} t "
        f"where {where} order by {order_by(window.sort, 't', backwards=window.backwards)} limit {bind(window.limit)}::int"
    )
    if relation.source is None:
        return Statement(rows, bind.sources)
    return Statement(
        f"select k.key as _key, x.* from unnest({keys}::text[]) k(key) cross join lateral ({rows}) x", bind.sources
    )


@lru_cache(maxsize=2000)
def aggregate(value: str, relation: Relation[Any], window: Window, sight: Sight) -> Statement:
    """One value over the far end for each parent key, or over the whole list where the relation has no parent."""
    bind = Bind()
    table, expression = rows_of(relation, window, sight, bind), value.format(t="t")
    if relation.source is None:
        where = conditions(relation, "t", window, sight, bind)
        return Statement(f"select {expression} from {table} t where {where}", bind.sources)
    where = f"t.{relation.far} = any({bind(KEYS)}::text[]) and {conditions(relation, 't', window, sight, bind)}"
    sql = f"select t.{relation.far}, {expression} from {table} t where {where} group by 1"
    return Statement(sql, bind.sources)


def aggregate_of(item: Aggregate, sight: Sight) -> Statement:
    """The statement of a declared aggregate."""
    return aggregate(item.value, item.relation, Window(), sight)
