"""What a schema says of its fields so that they can be planned. A field with no mark and no resolver is a column.

The marks hang on fields as Strawberry metadata under `PLAN`; the ordinary executor never looks at them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from db.model import Aggregate, Entity, Relation

PLAN: Final = "plan"


@dataclass(frozen=True)
class ToOne:
    """An object at the far end of a join. `nullable` False: the row is always there."""

    relation: Relation[Any]


@dataclass(frozen=True)
class ToMany:
    """A connection: pages of a join's far end, or of a list that hangs on no row."""

    relation: Relation[Any]


@dataclass(frozen=True)
class Lookup:
    """A row found by the argument `id` (or another column, by the argument of its name)."""

    entities: tuple[Entity[Any], ...]
    scope: str | None = None
    columns: tuple[str, ...] = ("id",)


@dataclass(frozen=True)
class Reduced:
    """One value over the far end of a join."""

    aggregate: Aggregate


@dataclass(frozen=True)
class Embedded:
    """An object made of columns of the same row: its field names to their columns."""

    columns: Mapping[str, str]


@dataclass(frozen=True)
class JsonList:
    """A list of flat objects kept in one JSON column."""

    column: str


@dataclass(frozen=True)
class Computed:
    """A scalar that SQL can say as well as Python: an expression over alias `{t}` and the platform's `{public_url}`."""

    sql: str


@dataclass(frozen=True)
class Kind:
    """What rows a type shows: hangs on the type through `entity_of`."""

    entity: Entity[Any]
