"""Fills the holes of a plan: fields that their own resolvers answer, on the rows that the statement found.

All rows of a hole are answered by one execution, so that loaders batch as they do in the ordinary executor. It runs on a
schema of the same types whose root has one list field for each object type. Where anything is wrong (an error, a row
that has gone meanwhile) there is no answer, and the ordinary executor words it.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    execute,
)

from db.model import Entity
from db.rows import hydrate_all, key_of
from db.rules import Everyone, Sight
from db.sessions import Database
from db.statements import by_key
from execution.documents import Document
from execution.draft import CLOSE, OPEN, Hole

_MARK = re.compile(f"{OPEN}([0-9]+):([^{CLOSE}]*){CLOSE}".encode())
_EVERYONE = Everyone()


@dataclass(frozen=True)
class Answer:
    """The JSON of `data`, and the errors of root fields beside the plan."""

    data: bytes
    errors: list[GraphQLError]


class Mixer:
    """Fills holes for one schema."""

    def __init__(self, schema: GraphQLSchema, db: Database) -> None:
        self._schema, self._db = schema, db
        self._rows_schema = _schema_of_rows(schema)

    async def fill(
        self, data: bytes, holes: tuple[Hole, ...], document: Document, operation: OperationDefinitionNode,
        variables: Mapping[str, Any], context: Any,
    ) -> Answer | None:  # fmt: skip
        """The answer with its holes filled; None where the ordinary executor must answer."""
        pieces = _MARK.split(data)
        found = _Found(holes)
        for hole, key in zip(pieces[1::3], pieces[2::3], strict=True):
            found.add(int(hole), key.decode())
        rows = await self._rows(found)
        if rows is None:
            return None
        run = _Run(document, operation, dict(variables), context)
        results = await asyncio.gather(self._on_rows(found, rows, run), self._on_root(found, run))
        if results[0] is None or results[1] is None:
            return None
        values = results[0] | results[1][0]
        pieces[1::3] = [values[int(hole), key.decode()] for hole, key in zip(pieces[1::3], pieces[2::3], strict=True)]
        pieces[2::3] = [b""] * len(pieces[2::3])
        return Answer(b"".join(pieces), results[1][1])

    async def _rows(self, found: "_Found") -> dict[tuple[int, str], Any] | None:
        """The row of each hole; None where one has gone."""
        keys: dict[Entity[Any], dict[str, None]] = {}
        for number, key in found.on_rows():
            keys.setdefault(found.entity(number), {})[key] = None
        loaded = await asyncio.gather(*(self._load(entity, list(wanted)) for entity, wanted in keys.items()))
        rows = dict(zip(keys, loaded, strict=True))
        try:
            return {(number, key): rows[found.entity(number)][key] for number, key in found.on_rows()}
        except KeyError:
            return None

    async def _load(self, entity: Entity[Any], keys: list[str]) -> dict[str, Any]:
        """Rows by key. The plan has already asked whether the viewer sees them."""
        table: Any = entity.table
        column = key_of(table) or ""
        records = await self._db.fetch(by_key(entity, column, Sight(), _EVERYONE).sql, [keys])
        return {getattr(row, column): row for row in hydrate_all(table, records)}

    async def _on_rows(
        self, found: "_Found", rows: Mapping[tuple[int, str], Any], run: "_Run"
    ) -> dict[tuple[int, str], bytes] | None:
        """Every hole on rows, answered by one execution."""
        lists = {
            number: [rows[number, key] for key in keys] for number, keys in found.keys.items() if found.entity(number)
        }
        if not lists:
            return {}
        asked = [_rows_field(number, found.holes[number]) for number in lists]
        result = await run.execute(self._rows_schema, asked, {f"h{number}": rows for number, rows in lists.items()})
        if result.errors or result.data is None:
            return None
        values = {}
        for number in lists:
            for key, row in zip(found.keys[number], result.data[f"h{number}"], strict=True):
                values[number, key] = orjson.dumps(row[found.holes[number].key])
        return values

    async def _on_root(
        self, found: "_Found", run: "_Run"
    ) -> tuple[dict[tuple[int, str], bytes], list[GraphQLError]] | None:
        """Every hole on the root; errors under them already have their paths."""
        numbers = [number for number in found.keys if found.entity(number) is None]
        if not numbers:
            return {}, []
        asked = [node for number in numbers for node in found.holes[number].nodes]
        result = await run.execute(self._schema, asked, None)
        if result.data is None:
            return None
        return {(n, ""): orjson.dumps(result.data[found.holes[n].key]) for n in numbers}, list(result.errors or ())


class _Found:
    """The holes of one answer and the keys of their rows, each once."""

    def __init__(self, holes: tuple[Hole, ...]) -> None:
        self.holes = holes
        self.keys: dict[int, dict[str, None]] = {}

    def add(self, number: int, key: str) -> None:
        self.keys.setdefault(number, {})[key] = None

    def entity(self, number: int) -> Any:
        return self.holes[number].entity

    def on_rows(self) -> Iterable[tuple[int, str]]:
        return [(number, key) for number, keys in self.keys.items() if self.entity(number) for key in keys]


@dataclass(frozen=True)
class _Run:
    """One request, as far as executions of its parts share it."""

    document: Document
    operation: OperationDefinitionNode
    variables: dict[str, Any]
    context: Any

    async def execute(self, schema: GraphQLSchema, fields: Iterable[FieldNode], root: Any) -> ExecutionResult:
        """Executes these fields alone, with the operation's variables and fragments."""
        made = OperationDefinitionNode(
            operation=self.operation.operation, name=None, directives=(), loc=self.operation.loc,
            variable_definitions=self.operation.variable_definitions, selection_set=_selections(fields),
        )  # fmt: skip
        document = DocumentNode(definitions=(made, *self.document.fragments.values()))
        result = execute(schema, document, root_value=root, context_value=self.context, variable_values=self.variables)
        return await result if isawaitable(result) else result


def _selections(nodes: Iterable[FieldNode]) -> SelectionSetNode:
    return SelectionSetNode(selections=tuple(nodes))


def _rows_field(number: int, hole: Hole) -> FieldNode:
    """`h3: Product { … }`: the rows of hole 3."""
    name, alias = NameNode(value=hole.kind.name), NameNode(value=f"h{number}")
    return FieldNode(name=name, alias=alias, arguments=(), directives=(), selection_set=_selections(hole.nodes))


def _schema_of_rows(schema: GraphQLSchema) -> GraphQLSchema:
    """The same types under a root that has a list field for each object type, resolved by the response key."""
    kinds = [kind for name, kind in schema.type_map.items() if not name.startswith("__")]
    fields = {
        kind.name: GraphQLField(GraphQLList(kind), resolve=lambda root, info: root[info.path.key])
        for kind in kinds
        if isinstance(kind, GraphQLObjectType)
    }
    made = GraphQLSchema(
        GraphQLObjectType("RowsAtHand", fields), types=kinds, directives=schema.directives, extensions=schema.extensions
    )
    made._strawberry_schema = getattr(schema, "_strawberry_schema", None)  # type: ignore[attr-defined] # Strawberry's Info looks there
    return made
