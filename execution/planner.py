"""From a validated operation to one SQL statement that answers it.

The schema says of each field what it is (`execution.markers`), `db.relations` says what joins to what and who sees it.
What the planner does not know is `Unplanned`, with the reason; the ordinary executor then answers.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_leaf_type,
    is_non_null_type,
)

from db import statements
from db.cursors import cursor_sql
from db.model import Entity, Relation
from db.rows import columns_of, is_nullable
from db.rules import VIEWER, Bind, Everyone, Sight
from db.statements import Window
from execution import json_sql
from execution.arguments import Argument, arguments
from execution.documents import Document
from execution.markers import PLAN, Computed, Embedded, JsonList, Lookup, Reduced, ToMany, ToOne
from execution.pages import Unplanned, window_of
from execution.selections import Selections, below


@dataclass(frozen=True)
class Plan:
    """One statement that answers an operation: a single text, the JSON of `data`."""

    sql: str
    sources: tuple[Hashable, ...]


@dataclass(frozen=True)
class Row:
    """A row at hand: its alias in the statement, and what it is a row of."""

    alias: str
    entity: Entity[Any]


class Planner:
    """Compiles one operation for one kind of viewer and one shape of variables."""

    def __init__(
        self, schema: GraphQLSchema, document: Document, variables: Mapping[str, Any], sight: Sight,
        constants: Mapping[str, str],
    ) -> None:  # fmt: skip
        self._schema, self._variables, self._sight = schema, variables, sight
        self._selections = Selections(schema, document.fragments, variables)
        self._constants = {name: json_sql.literal(value) for name, value in constants.items()}
        self._bind = Bind()
        self._aliases = 0

    def plan(self, operation: OperationDefinitionNode) -> Plan:
        """The statement; Unplanned where some part is not for SQL."""
        root = self._schema.query_type
        if root is None or operation.operation.value != "query":
            raise Unplanned(operation.operation.value)
        fields = self._selections.of(root, [operation.selection_set])
        parts = [(key, self._root(root, nodes)) for key, nodes in fields.items()]
        return Plan(f"select convert_to({json_sql.json_object(parts)}, 'UTF8')", self._bind.sources)

    # ── where reading starts ─────────────────────────────────────────────────────────────────────────────────────

    def _root(self, root: GraphQLObjectType, nodes: list[FieldNode]) -> str:
        name = nodes[0].name.value
        if name == "__typename":
            return json_sql.literal(f'"{root.name}"')
        if name not in root.fields:
            raise Unplanned("introspection")
        field = root.fields[name]
        mark = _mark(field)
        given = arguments(nodes[0].arguments, field.args, self._variables)
        match mark:
            case ToMany():
                return self._connection(mark.relation, None, field, nodes, given)
            case Lookup(many=True):
                ids = given["ids"].value
                if len(ids) > mark.most:
                    raise Unplanned("bad_argument")
                items = [self._lookup(mark, field, nodes, {"id": item}) for item in ids]
                return json_sql.concatenated(_listed(items))
            case Lookup():
                return self._lookup(mark, field, nodes, given)
        raise Unplanned(f"computed:{root.name}.{name}")

    def _lookup(self, mark: Lookup, field: GraphQLField, nodes: list[FieldNode], given: Mapping[str, Argument]) -> str:
        entity, column, source = self._looked_up(mark, given)
        if entity is None:
            return "'null'"
        scope = mark.scopes.get(entity.name)
        if scope is not None and not self._sight.holds(scope):
            raise Unplanned("scope")
        alias = self._alias()
        seen = entity.visible.sql(alias, self._sight, self._bind)
        kind = self._type_of(mark, entity, field)
        made = self._object(kind, Row(alias, entity), nodes)
        found = (
            f"(select {made} from {entity.table.__tablename__} {alias} where {alias}.{column} = {source} and {seen})"
        )
        return json_sql.or_null(found) if mark.many else self._required(found, f"{source}::text", field)

    def _looked_up(self, mark: Lookup, given: Mapping[str, Argument]) -> tuple[Entity[Any] | None, str, str]:
        if mark.viewer:
            return mark.entities["user"], "id", self._bind(VIEWER)
        sent = {name: argument for name, argument in given.items() if argument.value}
        if len(sent) != 1 or (len(mark.columns) == 1 and not isinstance(next(iter(sent.values())).value, str)):
            raise Unplanned("bad_argument")
        column, argument = next(iter(sent.items()))
        if "\0" in argument.value:
            raise Unplanned("bad_argument")
        entity = mark.entity_of(argument.value)
        return entity, column, self._bind(argument.source) if entity is not None else ""

    def _type_of(self, mark: Lookup, entity: Entity[Any], field: GraphQLField) -> GraphQLObjectType:
        named = get_named_type(field.type)
        kind = named if isinstance(named, GraphQLObjectType) else self._schema.get_type(mark.types[entity.name])
        if not isinstance(kind, GraphQLObjectType):
            raise Unplanned("abstract")
        return kind

    # ── objects ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _object(self, kind: GraphQLObjectType, row: Row, nodes: list[FieldNode]) -> str:
        """A row as the object that is asked for."""
        fields = self._selections.of(kind, below(nodes))
        return json_sql.json_object((key, self._field(kind, row, asked)) for key, asked in fields.items())

    def _field(self, kind: GraphQLObjectType, row: Row, nodes: list[FieldNode]) -> str:
        name = nodes[0].name.value
        if name == "__typename":
            return json_sql.literal(f'"{kind.name}"')
        field = kind.fields[name]
        mark = _mark(field)
        match mark:
            case None:
                return self._column(field, row, _python_name(field))
            case ToOne():
                return self._to_one(mark.relation, row, field, nodes)
            case ToMany():
                given = arguments(nodes[0].arguments, field.args, self._variables)
                return self._connection(mark.relation, row, field, nodes, given)
            case Reduced():
                return self._reduced(mark, row)
            case Embedded():
                return self._embedded(mark, row, field, nodes)
            case JsonList():
                return self._json_list(mark, row, field, nodes)
            case Computed():
                return self._computed(mark, row, field)
        raise Unplanned(f"computed:{kind.name}.{name}")

    def _column(self, field: GraphQLField, row: Row, column: str) -> str:
        table: Any = row.entity.table
        if column not in columns_of(table):
            raise Unplanned(f"column:{column}")
        expression = self._leaf(field, f"{row.alias}.{column}")
        return json_sql.or_null(expression) if is_nullable(table, column) else expression

    def _leaf(self, field: GraphQLField, expression: str) -> str:
        named = get_named_type(field.type)
        if isinstance(named, GraphQLEnumType):
            return json_sql.enum(expression, named)
        writer = _WRITERS.get(named.name)
        if writer is None or not is_leaf_type(named):
            raise Unplanned(f"type:{named.name}")
        return writer(expression)

    def _computed(self, mark: Computed, row: Row, field: GraphQLField) -> str:
        expression = mark.sql.format(t=row.alias, **self._constants)
        found = self._leaf(field, expression)
        return found if is_non_null_type(field.type) else json_sql.or_null(found)

    def _reduced(self, mark: Reduced, row: Row) -> str:
        item = mark.aggregate
        relation = item.relation
        alias = self._alias()
        where = statements.conditions(relation, alias, Window(), self._sight, self._bind)
        joined = statements.joined(relation, alias, f"{row.alias}.{relation.near}")
        table = relation.target.table.__tablename__
        value = f"(select {item.value.format(t=alias)} from {table} {alias} where {joined} and {where})"
        if item.kind == "bool":
            return json_sql.boolean(f"coalesce({value}, {str(item.empty).lower()})")
        empty = "null" if item.empty is None else str(item.empty)
        return f"coalesce({value}::text, '{empty}')"

    def _embedded(self, mark: Embedded, row: Row, field: GraphQLField, nodes: list[FieldNode]) -> str:
        kind: Any = get_named_type(field.type)
        fields = self._selections.of(kind, below(nodes))
        parts = []
        for key, asked in fields.items():
            name = asked[0].name.value
            if name == "__typename":
                parts.append((key, json_sql.literal(f'"{kind.name}"')))
            else:
                told = kind.fields[name]
                parts.append((key, self._column(told, row, mark.columns[_python_name(told)])))
        return json_sql.json_object(parts)

    def _json_list(self, mark: JsonList, row: Row, field: GraphQLField, nodes: list[FieldNode]) -> str:
        """The items of a JSON column, each with the fields that are asked for, in its own order."""
        kind: Any = get_named_type(field.type)
        fields = self._selections.of(kind, below(nodes))
        item = self._alias()
        parts = []
        for key, asked in fields.items():
            name = asked[0].name.value
            if name == "__typename":
                parts.append((key, json_sql.literal(f'"{kind.name}"')))
            else:
                parts.append((key, f"({item}.value -> {json_sql.literal(_python_name(kind.fields[name]))})::text"))
        made = json_sql.json_object(parts)
        items = f"select string_agg({made}, ',') from json_array_elements({row.alias}.{mark.column}) {item}"
        return f"'[' || coalesce(({items}), '') || ']'"

    def _to_one(self, relation: Relation[Any], row: Row, field: GraphQLField, nodes: list[FieldNode]) -> str:
        self._check_scope(relation)
        kind: Any = get_named_type(field.type)
        alias = self._alias()
        made = self._object(kind, Row(alias, relation.target), nodes)
        joined = statements.joined(relation, alias, f"{row.alias}.{relation.near}")
        where = statements.conditions(relation, alias, Window(), self._sight, self._bind)
        found = f"(select {made} from {relation.target.table.__tablename__} {alias} where {joined} and {where})"
        if isinstance(relation.seen, Everyone) and is_non_null_type(field.type):
            return found
        return self._required(found, f"{row.alias}.{relation.near}", field)

    def _required(self, found: str, text: str, field: GraphQLField) -> str:
        """Null where a null may stand. Where none may, a missing row is an error that the ordinary executor words:
        the statement then fails on a cast that no key survives, and the operation is run again by the executor."""
        if is_non_null_type(field.type):
            return f"coalesce({found}, ({text} || '!')::int::text)"
        return json_sql.or_null(found)

    # ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _connection(
        self, relation: Relation[Any], parent: Row | None, field: GraphQLField, nodes: list[FieldNode],
        given: Mapping[str, Argument],
    ) -> str:  # fmt: skip
        self._check_scope(relation)
        kind: Any = get_named_type(field.type)
        limit, window = window_of(relation, given)
        fields = self._selections.of(kind, below(nodes))
        outer = []
        listing = _Listing(self, relation, parent, limit, window)
        for key, asked in fields.items():
            match asked[0].name.value:
                case "__typename":
                    outer.append((key, json_sql.literal(f'"{kind.name}"')))
                case "totalCount":
                    outer.append((key, listing.count()))
                case "nodes":
                    outer.append((key, listing.nodes(kind.fields["nodes"], asked)))
                case "edges":
                    outer.append((key, listing.edges(kind.fields["edges"], asked)))
                case "pageInfo":
                    outer.append((key, listing.page_info(kind.fields["pageInfo"], asked)))
        return listing.around(json_sql.json_object(outer))

    def _check_scope(self, relation: Relation[Any]) -> None:
        if relation.scope is not None and not self._sight.holds(relation.scope):
            raise Unplanned("scope")

    def _alias(self) -> str:
        self._aliases += 1
        return f"t{self._aliases}"


class _Listing:
    """One connection of a plan: the rows of a page, and what is said of them."""

    def __init__(
        self, planner: Planner, relation: Relation[Any], parent: Row | None, limit: int, window: Window
    ) -> None:
        self._planner, self._relation, self._limit, self._window = planner, relation, limit, window
        self._parent = parent
        self._alias = planner._alias()
        self._rows = False  # whether the rows themselves are needed
        self._peeks = False  # whether the row after the page is needed

    def nodes(self, field: GraphQLField, asked: list[FieldNode]) -> str:
        """`nodes`: the page's rows."""
        return self._array(self._node(field, asked))

    def edges(self, field: GraphQLField, asked: list[FieldNode]) -> str:
        """`edges`: the page's rows with their cursors."""
        kind: Any = get_named_type(field.type)
        fields = self._planner._selections.of(kind, below(asked))
        parts = []
        for key, nodes in fields.items():
            match nodes[0].name.value:
                case "cursor":
                    parts.append((key, json_sql.quoted(self._cursor())))
                case "node":
                    parts.append((key, self._node(kind.fields["node"], nodes)))
                case _:
                    parts.append((key, json_sql.literal(f'"{kind.name}"')))
        return self._array(json_sql.json_object(parts))

    def page_info(self, field: GraphQLField, asked: list[FieldNode]) -> str:
        """`pageInfo`: where the page stands."""
        kind: Any = get_named_type(field.type)
        fields = self._planner._selections.of(kind, below(asked))
        first, last = ("desc", "asc") if self._window.backwards else ("asc", "desc")
        told = {
            "hasNextPage": self._has("next"),
            "hasPreviousPage": self._has("previous"),
            "startCursor": lambda: self._edge_cursor(first),
            "endCursor": lambda: self._edge_cursor(last),
            "__typename": lambda: json_sql.literal(f'"{kind.name}"'),
        }
        return json_sql.json_object((key, told[nodes[0].name.value]()) for key, nodes in fields.items())

    def _has(self, side: str) -> Any:
        forward = side == "next"

        def say() -> str:
            if forward == self._window.backwards:  # the side that the page came from: told by its mark
                mark = self._window.before if forward else self._window.after
                return json_sql.literal("true" if mark is not None else "false")
            self._rows = self._peeks = True
            return json_sql.boolean(f"count(*) > {self._limit}")

        return say

    def _edge_cursor(self, direction: str) -> str:
        self._rows = self._peeks = True
        cursors = f"array_agg({self._cursor()} order by {self._alias}.rn {direction}) {self._in_page()}"
        return json_sql.or_null(json_sql.quoted(f"({cursors})[1]"))

    def _cursor(self) -> str:
        return cursor_sql(self._window.sort, self._alias)

    def _node(self, field: GraphQLField, asked: list[FieldNode]) -> str:
        kind: Any = get_named_type(field.type)
        return self._planner._object(kind, Row(self._alias, self._relation.target), asked)

    def _array(self, item: str) -> str:
        self._rows = True
        order = f" order by {statements.order_by(self._window.sort, self._alias)}" if self._window.backwards else ""
        return f"'[' || coalesce(string_agg({item}, ','{order}){{in_page}}, '') || ']'"

    def _in_page(self) -> str:
        return f"filter (where {self._alias}.rn <= {self._limit})"

    def count(self) -> str:
        """`totalCount`: the whole list, whatever the page."""
        bind, sight = self._planner._bind, self._planner._sight
        alias = self._planner._alias()
        whole = Window(filters=self._window.filters)
        where = self._joined(alias) + statements.conditions(self._relation, alias, whole, sight, bind)
        return f"(select count(*)::text from {self._relation.target.table.__tablename__} {alias} where {where})"

    def _joined(self, alias: str) -> str:
        if self._parent is None:
            return ""
        near = f"{self._parent.alias}.{self._relation.near}"
        return f"{statements.joined(self._relation, alias, near)} and "

    def around(self, made: str) -> str:
        """The finished expression: `made` over the page's rows."""
        if not self._rows:
            return made
        bind, sight = self._planner._bind, self._planner._sight
        window, alias, table = self._window, self._alias, self._relation.target.table.__tablename__
        where = self._joined(alias) + statements.conditions(self._relation, alias, window, sight, bind)
        order = statements.order_by(window.sort, alias, backwards=window.backwards)
        limit = self._limit + (1 if self._peeks else 0)
        rows = f"select {alias}.* from {table} {alias} where {where} order by {order} limit {limit}"
        if self._peeks:
            rows = f"select x.*, row_number() over () as rn from ({rows}) x"
        in_page = f" {self._in_page()}" if self._peeks else ""
        return f"(select {made.replace('{in_page}', in_page)} from ({rows}) {alias})"


def _listed(items: list[str]) -> list[str]:
    parts = ["'['"]
    for place, item in enumerate(items):
        parts += (["','"] if place else []) + [item]
    return [*parts, "']'"]


def _mark(field: GraphQLField) -> Any:
    """What a field is; None for a plain column; Unplanned for a resolver of its own."""
    definition = field.extensions.get("strawberry-definition")
    if definition is None:
        raise Unplanned("unknown")
    mark = definition.metadata.get(PLAN)
    if mark is None and definition.base_resolver is not None:
        raise Unplanned(f"computed:{definition.name}")
    return mark


def _python_name(field: GraphQLField) -> str:
    name: str = field.extensions["strawberry-definition"].python_name
    return name


_WRITERS: dict[str, Callable[[str], str]] = {
    "ID": json_sql.quoted,
    "String": json_sql.escaped,
    "Int": lambda expression: f"{expression}::text",
    "Boolean": json_sql.boolean,
    "DateTime": json_sql.moment,
    "Decimal": lambda expression: json_sql.quoted(f"{expression}::text"),
    "Currency": json_sql.quoted,
    "JSON": lambda expression: f"{expression}::text",
}
