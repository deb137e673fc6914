"""The vocabulary in which `db.relations` says what joins to what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from db.cursors import Sort
from db.rules import Visibility
from db.tables import Table

T = TypeVar("T", bound=Table)

CREATED_ASC = Sort("CREATED_AT_ASC")
CREATED_DESC = Sort("CREATED_AT_DESC", descending=True)


def sorts(*orders: Sort) -> Mapping[str, Sort]:
    """The orders of a list by name; the order of creation is always among them."""
    return {sort.name: sort for sort in (CREATED_ASC, CREATED_DESC, *orders)}


@dataclass(frozen=True)
class Filter:
    """One condition a list can be asked for: SQL over `{t}` and the value `{v}`."""

    sql: str


@dataclass(frozen=True, eq=False)
class Entity(Generic[T]):
    """A kind of row that surfaces show. `visible` holds for single rows, `listed` for lists that hang on no parent."""

    name: str
    table: type[T]
    visible: Visibility
    listed: Visibility
    sorts: Mapping[str, Sort] = field(default_factory=sorts)
    filters: Mapping[str, Filter] = field(default_factory=dict)


@dataclass(frozen=True)
class MadeRows:
    """Rows that a statement makes of others, in place of a table: a query with every column of the relation's target.

    `given`: the argument whose values it is made from, at most `most`; its place in `sql` is `{given}`, a `text[]`.
    `{seen}` is the rule `seen` of the rows that it is made from, which have the alias `s` there.
    """

    sql: str
    given: str
    most: int
    seen: Visibility


@dataclass(frozen=True, eq=False)
class Relation(Generic[T]):
    """A join: rows of `target` whose column `far` equals the column `near` of a row of `source`.

    `source` None: the list of all, or of the rows that are `made`. `scope`: what a token must hold to follow it at all.
    `where`: rows that belong to it whoever looks. `many` False: at most one row.
    """

    name: str
    source: Entity[Any] | None
    target: Entity[T]
    near: str = ""
    far: str = ""
    many: bool = True
    visibility: Visibility | None = None
    scope: str | None = None
    where: str = ""
    made: MadeRows | None = None

    @property
    def seen(self) -> Visibility:
        """Who sees the rows at its far end."""
        if self.visibility is not None:
            return self.visibility
        return self.target.listed if self.many and self.source is None else self.target.visible


@dataclass(frozen=True, eq=False)
class Aggregate:
    """One value over the far end of a join, such as a count or a sum. `empty` is its value where no row is seen."""

    name: str
    relation: Relation[Any]
    value: str
    empty: Any
    kind: Literal["int", "bool"] = "int"
