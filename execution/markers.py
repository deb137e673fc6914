"""What a schema says of its fields so that they can be planned. A field with no mark and no resolver is a column.

The marks hang on fields as Strawberry metadata under `PLAN`; the ordinary executor never looks at them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from db.ids import PREFIXES
from db.model import Aggregate, Entity, Relation

PLAN: Final = "plan"
DEPRECATION: Final = "deprecation"  # in the extensions of what will end: a `db.deprecation.Deprecation`


@dataclass(frozen=True)
class ToOne:
    """An object at the far end of a join."""

    relation: Relation[Any]


@dataclass(frozen=True)
class ToMany:
    """A connection: pages of a join's far end, or of a list that hangs on no row."""

    relation: Relation[Any]


@dataclass(frozen=True)
class Lookup:
    """A row found by an argument: `columns` names the arguments, of which exactly one is given, and their columns.

    `entities` by their nouns: one, or those that an id's prefix chooses among. `scopes`: what a token must hold for each.
    `types`: the GraphQL type of each, where the field's own type is an interface. `viewer`: no argument, the viewer's own
    row. `many`: a list of ids, at most `most`.
    """

    entities: Mapping[str, Entity[Any]]
    scopes: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ("id",)
    viewer: bool = False
    many: bool = False
    most: int = 100

    def entity_of(self, value: str) -> Entity[Any] | None:
        """The entity that is meant."""
        if len(self.entities) == 1:
            return next(iter(self.entities.values()))
        return self.entities.get(PREFIXES.get(value.split("_", 1)[0], ""))


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
