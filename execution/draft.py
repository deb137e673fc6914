"""One statement in the making: what is asked, who asks, and what its text has used so far."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLField, GraphQLObjectType, GraphQLSchema

from db.model import Entity
from db.rows import key_of
from db.rules import Bind, Sight
from execution import json_sql
from execution.arguments import Argument, arguments
from execution.documents import Document
from execution.errors import Resolved, Unplanned
from execution.selections import Selections, below

OPEN, CLOSE = "\x01", "\x02"  # stand raw in no JSON text, so they mark the places of holes


@dataclass(frozen=True)
class Row:
    """A row at hand: its alias in the statement, and what it is a row of."""

    alias: str
    entity: Entity[Any]


@dataclass(frozen=True)
class Hole:
    """A field that its own resolver answers, on rows of `entity`; on the root where there is none."""

    kind: GraphQLObjectType
    entity: Entity[Any] | None
    key: str
    nodes: tuple[FieldNode, ...]


class Draft:
    """What every part of a plan shares."""

    def __init__(
        self, schema: GraphQLSchema, document: Document, variables: Mapping[str, Any], sight: Sight,
        constants: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.schema, self.sight = schema, sight
        self.constants = {name: json_sql.literal(value) for name, value in constants.items()}
        self.bind = Bind()
        self.holes: list[Hole] = []
        self.checks: list[Hashable] = []  # sources that must be valid though no text uses them
        self._variables = variables
        self._selections = Selections(schema, document.fragments, variables)
        self._aliases = 0

    def alias(self) -> str:
        """An alias that nothing else has."""
        self._aliases += 1
        return f"t{self._aliases}"

    def fields(self, kind: GraphQLObjectType, nodes: Sequence[FieldNode]) -> dict[str, list[FieldNode]]:
        """What is asked of a type below fields of one response key."""
        return self._selections.of(kind, below(nodes))

    def root(self, kind: GraphQLObjectType, operation: Any) -> dict[str, list[FieldNode]]:
        """What an operation asks of the root."""
        return self._selections.of(kind, [operation.selection_set])

    def arguments(self, field: GraphQLField, nodes: Sequence[FieldNode]) -> dict[str, Argument]:
        """A field's arguments that are not null."""
        return arguments(nodes[0].arguments, field.args, self._variables)

    def require(self, scope: str | None) -> None:
        """Leaves to the executor what this viewer may not ask: it words the refusal."""
        if scope is not None and not self.sight.reads(scope):
            raise Unplanned("scope")

    def leave(self, kind: GraphQLObjectType, row: Row | None, nodes: Sequence[FieldNode], reason: str) -> str:
        """Marks the place of a field that is answered later, by its own resolver."""
        table: Any = row.entity.table if row is not None else None
        column = key_of(table) if table is not None else ""
        if column is None:
            raise Resolved(reason)
        node = nodes[0]
        hole = Hole(
            kind,
            row.entity if row is not None else None,
            node.alias.value if node.alias else node.name.value,
            tuple(nodes),
        )
        self.holes.append(hole)
        start, end = json_sql.literal(f"{OPEN}{len(self.holes) - 1}:"), json_sql.literal(CLOSE)
        middle = [f"{row.alias}.{column}"] if row is not None else []
        return json_sql.concatenated([start, *middle, end])

    def mark(self) -> tuple[int, int]:
        """How far the draft is."""
        return len(self.bind.sources), len(self.holes)

    def rewind(self, mark: tuple[int, int]) -> None:
        """Forgets what was used since the mark, for text that was thrown away."""
        self.bind.rewind(mark[0])
        del self.holes[mark[1] :]
