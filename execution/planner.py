"""From a validated operation to one SQL statement that answers it.

The schema says of each field what it is (`execution.markers`), `db.relations` says what joins to what and who sees it.
A field with a resolver of its own leaves a hole in the answer, which `execution.mixed` fills. What cannot be planned at
all is `Unplanned`, with the reason; the ordinary executor then answers.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    OperationDefinitionNode,
    get_named_type,
    is_non_null_type,
)

from db.model import Entity
from db.rules import VIEWER
from execution import json_sql
from execution.arguments import Argument
from execution.draft import Draft, Hole, Row
from execution.errors import Resolved, Unplanned
from execution.markers import Lookup, ToMany
from execution.objects import Objects, mark_of, required


@dataclass(frozen=True)
class Plan:
    """One statement that answers an operation: a single text, the JSON of `data`, with marks where holes are.

    `checks`: further sources that must have a value, such as cursors of lists of which only the count is asked.
    """

    sql: str
    sources: tuple[Hashable, ...]
    holes: tuple[Hole, ...] = ()
    checks: tuple[Hashable, ...] = ()


class Planner:
    """Compiles one operation: where reading starts."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._objects = Objects(draft)
        self._reason = ""

    def plan(self, operation: OperationDefinitionNode) -> Plan:
        """The statement; Unplanned where it is not for SQL, or nothing would be left to plan."""
        root = self._draft.schema.query_type
        if root is None or operation.operation.value != "query":
            raise Unplanned(operation.operation.value)
        fields = self._draft.root(root, operation)
        parts = [(key, self._field(root, nodes)) for key, nodes in fields.items()]
        holes = self._draft.holes
        if holes and len(holes) == len(fields) and all(hole.entity is None for hole in holes):
            raise Unplanned(self._reason)
        sql = f"select convert_to({json_sql.json_object(parts)}, 'UTF8')"
        return Plan(sql, self._draft.bind.sources, tuple(holes), tuple(self._draft.checks))

    def _field(self, root: GraphQLObjectType, nodes: Sequence[FieldNode]) -> str:
        mark = self._draft.mark()
        try:
            return self._planned(root, nodes)
        except Resolved as resolved:
            self._reason = resolved.reason
            self._draft.rewind(mark)
            return self._draft.leave(root, None, nodes, resolved.reason)

    def _planned(self, root: GraphQLObjectType, nodes: Sequence[FieldNode]) -> str:
        name = nodes[0].name.value
        if name == "__typename":
            return json_sql.typename(root)
        if name not in root.fields:
            raise Resolved("introspection")
        field = root.fields[name]
        match mark_of(field, f"{root.name}.{name}"):
            case ToMany(relation):
                return self._objects.connection(relation, None, field, nodes)
            case Lookup(many=True) as mark:
                return self._many(mark, field, nodes)
            case Lookup() as mark:
                return self._one(mark, field, nodes, self._draft.arguments(field, nodes))
        raise Resolved(f"computed:{root.name}.{name}")

    # ── rows found by an argument ────────────────────────────────────────────────────────────────────────────────

    def _many(self, mark: Lookup, field: GraphQLField, nodes: Sequence[FieldNode]) -> str:
        ids = self._draft.arguments(field, nodes)["ids"].value
        if len(ids) > mark.most:
            raise Unplanned("bad_argument")
        return json_sql.array(self._found(mark, field, nodes, "id", item) for item in ids)

    def _one(self, mark: Lookup, field: GraphQLField, nodes: Sequence[FieldNode], given: Mapping[str, Argument]) -> str:
        if mark.viewer:
            entity = mark.entities["user"]
            return required(self._row(mark, entity, field, nodes, f"id = {self._draft.bind(VIEWER)}"), field)
        sent = {name: argument for name, argument in given.items() if argument.value or len(mark.columns) == 1}
        if len(sent) != 1:
            raise Unplanned("bad_argument")
        return self._found(mark, field, nodes, *next(iter(sent.items())))

    def _found(
        self, mark: Lookup, field: GraphQLField, nodes: Sequence[FieldNode], column: str, argument: Argument
    ) -> str:
        entity = mark.entity_of(argument.value)
        if entity is None:
            return "'null'"
        found = self._row(mark, entity, field, nodes, f"{column} = {self._draft.bind(argument.source)}")
        single = mark.many or not is_non_null_type(field.type)
        return json_sql.or_null(found) if single else required(found, field)

    def _row(
        self, mark: Lookup, entity: Entity[Any], field: GraphQLField, nodes: Sequence[FieldNode], where: str
    ) -> str:
        self._draft.require(mark.scopes.get(entity.name))
        alias = self._draft.alias()
        seen = entity.visible.sql(alias, self._draft.sight, self._draft.bind)
        made = self._objects.made(self._type_of(mark, entity, field), Row(alias, entity), nodes)
        return f"(select {made} from {entity.table.__tablename__} {alias} where {alias}.{where} and {seen})"

    def _type_of(self, mark: Lookup, entity: Entity[Any], field: GraphQLField) -> GraphQLObjectType:
        named = get_named_type(field.type)
        kind = named if isinstance(named, GraphQLObjectType) else self._draft.schema.get_type(mark.types[entity.name])
        if not isinstance(kind, GraphQLObjectType):
            raise Unplanned("abstract")
        return kind
