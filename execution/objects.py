"""A row as the JSON object that is asked for: its columns, what SQL computes of them, and what it joins to."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_non_null_type,
)

from db import statements
from db.model import Relation
from db.rows import columns_of, is_nullable
from db.rules import Everyone
from db.statements import Window
from execution import json_sql
from execution.draft import Draft, Row
from execution.errors import Resolved
from execution.listing import Listing
from execution.markers import PLAN, Computed, Embedded, JsonList, Reduced, ToMany, ToOne
from execution.pages import window_of


class Objects:
    """Writes objects into one draft."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def made(self, kind: GraphQLObjectType, row: Row, nodes: Sequence[FieldNode]) -> str:
        """A row as the object that is asked for."""
        fields = self._draft.fields(kind, nodes)
        return json_sql.json_object((key, self._field(kind, row, asked)) for key, asked in fields.items())

    def connection(
        self, relation: Relation[Any], parent: Row | None, field: GraphQLField, nodes: Sequence[FieldNode]
    ) -> str:
        """A page of the rows at the far end of a join."""
        self._draft.require(relation.scope)
        limit, window = window_of(relation, self._draft.arguments(field, nodes))
        listing = Listing(self._draft, relation, parent, limit, window, self.made)
        return listing.connection(named_object(field), nodes)

    def _field(self, kind: GraphQLObjectType, row: Row, nodes: Sequence[FieldNode]) -> str:
        mark = self._draft.mark()
        try:
            return self._planned(kind, row, nodes)
        except Resolved as resolved:
            self._draft.rewind(mark)
            return self._draft.leave(kind, row, nodes, resolved.reason)

    def _planned(self, kind: GraphQLObjectType, row: Row, nodes: Sequence[FieldNode]) -> str:
        name = nodes[0].name.value
        if name == "__typename":
            return json_sql.typename(kind)
        field = kind.fields[name]
        match mark_of(field, f"{kind.name}.{name}"):
            case None:
                return self._column(field, row, _python_name(field))
            case ToOne(relation):
                return self._to_one(relation, row, field, nodes)
            case ToMany(relation):
                return self.connection(relation, row, field, nodes)
            case Reduced() as mark:
                return self._reduced(mark, row)
            case Embedded() as mark:
                return self._embedded(mark, row, field, nodes)
            case JsonList() as mark:
                return self._json_list(mark, row, field, nodes)
            case Computed() as mark:
                return self._computed(mark, row, field)
        raise Resolved(f"computed:{kind.name}.{name}")

    # ── leaves ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _column(self, field: GraphQLField, row: Row, column: str) -> str:
        table: Any = row.entity.table
        if column not in columns_of(table):
            raise Resolved(f"column:{column}")
        expression = self._leaf(field, f"{row.alias}.{column}")
        return required(expression, field) if is_nullable(table, column) else expression

    def _leaf(self, field: GraphQLField, expression: str) -> str:
        named = get_named_type(field.type)
        if isinstance(named, GraphQLEnumType):
            return json_sql.enum(expression, named)
        writer = _WRITERS.get(named.name)
        if writer is None or not is_leaf_type(named):
            raise Resolved(f"type:{named.name}")
        return writer(expression)

    def _computed(self, mark: Computed, row: Row, field: GraphQLField) -> str:
        return required(self._leaf(field, mark.sql.format(t=row.alias, **self._draft.constants)), field)

    def _reduced(self, mark: Reduced, row: Row) -> str:
        item, alias = mark.aggregate, self._draft.alias()
        found = self._far(item.relation, alias, row, item.value.format(t=alias))
        if item.kind == "bool":
            return json_sql.boolean(f"coalesce({found}, {str(item.empty).lower()})")
        empty = "null" if item.empty is None else str(item.empty)
        return f"coalesce({found}::text, '{empty}')"

    # ── what a row holds ─────────────────────────────────────────────────────────────────────────────────────────

    def _embedded(self, mark: Embedded, row: Row, field: GraphQLField, nodes: Sequence[FieldNode]) -> str:
        def column(told: GraphQLField) -> str:
            return self._column(told, row, mark.columns[_python_name(told)])

        return self._flat(field, nodes, column)

    def _json_list(self, mark: JsonList, row: Row, field: GraphQLField, nodes: Sequence[FieldNode]) -> str:
        """The items of a JSON column, each with the fields that are asked for, in its own order."""
        item = self._draft.alias()

        def value(told: GraphQLField) -> str:
            return f"({item}.value -> {json_sql.literal(_python_name(told))})::text"

        made = self._flat(field, nodes, value)
        items = f"select string_agg({made}, ',') from json_array_elements({row.alias}.{mark.column}) {item}"
        return f"'[' || coalesce(({items}), '') || ']'"

    def _flat(self, field: GraphQLField, nodes: Sequence[FieldNode], value: Callable[[GraphQLField], str]) -> str:
        """An object whose fields all come from one place."""
        kind = named_object(field)
        parts = []
        for key, asked in self._draft.fields(kind, nodes).items():
            name = asked[0].name.value
            if name == "__typename":
                parts.append((key, json_sql.typename(kind)))
                continue
            told = kind.fields[name]
            if mark_of(told, f"{kind.name}.{name}") is not None:
                raise Resolved(f"computed:{kind.name}.{name}")
            parts.append((key, value(told)))
        return json_sql.json_object(parts)

    # ── what it joins to ─────────────────────────────────────────────────────────────────────────────────────────

    def _to_one(self, relation: Relation[Any], row: Row, field: GraphQLField, nodes: Sequence[FieldNode]) -> str:
        self._draft.require(relation.scope)
        alias = self._draft.alias()
        made = self.made(named_object(field), Row(alias, relation.target), nodes)
        found = self._far(relation, alias, row, made)
        if isinstance(relation.seen, Everyone) and is_non_null_type(field.type):
            return found
        return required(found, field)

    def _far(self, relation: Relation[Any], alias: str, row: Row, value: str) -> str:
        """A value of the rows at the far end that the viewer sees."""
        joined = statements.joined(relation, alias, f"{row.alias}.{relation.near}")
        where = statements.conditions(relation, alias, Window(), self._draft.sight, self._draft.bind)
        return f"(select {value} from {relation.target.table.__tablename__} {alias} where {joined} and {where})"


def required(found: str, field: GraphQLField) -> str:
    """Null where a null may stand. Where none may, a missing value is an error that the ordinary executor words: the
    statement then fails on a cast, and the operation is run again by the executor."""
    return f"coalesce({found}, {_FAILS})" if is_non_null_type(field.type) else json_sql.or_null(found)


def mark_of(field: GraphQLField, place: str) -> Any:
    """What a field is; None for a plain column; Resolved for a resolver of its own."""
    definition = field.extensions.get("strawberry-definition")
    if definition is None:
        raise Resolved(f"computed:{place}")
    mark = definition.metadata.get(PLAN)
    if mark is None and definition.base_resolver is not None:
        raise Resolved(f"computed:{place}")
    return mark


def named_object(field: GraphQLField) -> Any:
    """The object type of a field, without its list and non-null wrappers."""
    return get_named_type(field.type)


def _python_name(field: GraphQLField) -> str:
    name: str = field.extensions["strawberry-definition"].python_name
    return name


# Fails when it is evaluated and not before: PostgreSQL folds only what is immutable while it plans.
_FAILS = "('!' || now()::text)::int::text"
_WRITERS: dict[str, Callable[[str], str]] = {
    "ID": json_sql.quoted,
    "String": json_sql.escaped,
    # An Int has 32 bits; a larger number fails here as it does in the executor, which then words the error.
    "Int": lambda expression: f"({expression})::int::text",
    "Float": json_sql.number,
    "Boolean": json_sql.boolean,
    "DateTime": json_sql.moment,
    "Decimal": lambda expression: json_sql.quoted(f"{expression}::text"),
    "Currency": json_sql.quoted,
    "JSON": lambda expression: f"{expression}::text",
}
