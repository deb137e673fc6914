"""One connection of a plan: the rows of a page, and what is said of them."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import FieldNode, GraphQLObjectType, get_named_type

from db import statements
from db.cursors import cursor_sql
from db.model import Relation
from db.statements import Window
from execution import json_sql
from execution.draft import Draft, Row

MakeObject = Callable[[GraphQLObjectType, Row, Sequence[FieldNode]], str]


class Listing:
    """Reads no more than is asked: rows for `nodes` and `edges`, one row past the page for what tells of the next page."""

    def __init__(
        self, draft: Draft, relation: Relation[Any], parent: Row | None, limit: int, window: Window, make: MakeObject
    ) -> None:
        self._draft, self._relation, self._parent = draft, relation, parent
        self._limit, self._window, self._make = limit, window, make
        self._alias = draft.alias()
        self._rows = False  # whether the rows themselves are needed
        self._peeks = False  # whether the row after the page is needed

    def connection(self, kind: GraphQLObjectType, nodes: Sequence[FieldNode]) -> str:
        """The whole connection."""
        fields = self._draft.fields(kind, nodes)
        names = {asked[0].name.value for asked in fields.values()}
        self._rows, self._peeks = bool(names & {"nodes", "edges"}), self._tells_more(kind, fields)
        made = json_sql.json_object((key, self._field(kind, asked)) for key, asked in fields.items())
        if self._rows or self._peeks:
            return self._over_rows(made)
        marks = (self._window.after, self._window.before)
        self._draft.checks += [mark.id for mark in marks if mark is not None]
        return made

    def _field(self, kind: GraphQLObjectType, asked: Sequence[FieldNode]) -> str:
        name = asked[0].name.value
        below: Any = get_named_type(kind.fields[name].type) if name in kind.fields else None
        match name:
            case "totalCount":
                return self._count()
            case "nodes":
                return self._array(self._node(below, asked))
            case "edges":
                return self._array(self._edge(below, asked))
            case "pageInfo":
                return self._page_info(below, asked)
        return json_sql.typename(kind)

    # ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _array(self, item: str) -> str:
        order = f" order by {statements.order_by(self._window.sort, self._alias)}" if self._window.backwards else ""
        return f"'[' || coalesce(string_agg({item}, ','{order}){self._in_page()}, '') || ']'"

    def _node(self, kind: GraphQLObjectType, asked: Sequence[FieldNode]) -> str:
        return self._make(kind, Row(self._alias, self._relation.target), asked)

    def _edge(self, kind: GraphQLObjectType, asked: Sequence[FieldNode]) -> str:
        parts = []
        for key, nodes in self._draft.fields(kind, asked).items():
            match nodes[0].name.value:
                case "cursor":
                    parts.append((key, json_sql.quoted(self._cursor())))
                case "node":
                    node: Any = get_named_type(kind.fields["node"].type)
                    parts.append((key, self._node(node, nodes)))
                case _:
                    parts.append((key, json_sql.typename(kind)))
        return json_sql.json_object(parts)

    def _cursor(self) -> str:
        return cursor_sql(self._window.sort, self._alias)

    # ── what is said of the page ─────────────────────────────────────────────────────────────────────────────────

    def _page_info(self, kind: GraphQLObjectType, asked: Sequence[FieldNode]) -> str:
        parts = []
        for key, nodes in self._draft.fields(kind, asked).items():
            match nodes[0].name.value:
                case "hasNextPage":
                    parts.append((key, self._has_more(forward=True)))
                case "hasPreviousPage":
                    parts.append((key, self._has_more(forward=False)))
                case "startCursor":
                    parts.append((key, self._edge_cursor(first=True)))
                case "endCursor":
                    parts.append((key, self._edge_cursor(first=False)))
                case _:
                    parts.append((key, json_sql.typename(kind)))
        return json_sql.json_object(parts)

    def _tells_more(self, kind: GraphQLObjectType, fields: dict[str, list[FieldNode]]) -> bool:
        """Whether what is asked of `pageInfo` can only be told from the rows."""
        info: Any = get_named_type(kind.fields["pageInfo"].type)
        told = "hasPreviousPage" if self._window.backwards else "hasNextPage"
        asked = [nodes for nodes in fields.values() if nodes[0].name.value == "pageInfo"]
        names = {below[0].name.value for nodes in asked for below in self._draft.fields(info, nodes).values()}
        return bool(names & {told, "startCursor", "endCursor"})

    def _has_more(self, *, forward: bool) -> str:
        if forward == self._window.backwards:  # the side that the page came from: told by its mark
            mark = self._window.before if forward else self._window.after
            return json_sql.literal("true" if mark is not None else "false")
        return json_sql.boolean(f"count(*) > {self._limit}")

    def _edge_cursor(self, *, first: bool) -> str:
        direction = "asc" if first != self._window.backwards else "desc"
        cursors = f"array_agg({self._cursor()} order by {self._alias}.rn {direction}){self._in_page()}"
        return json_sql.or_null(json_sql.quoted(f"({cursors})[1]"))

    def _count(self) -> str:
        """`totalCount`: the whole list, whatever the page."""
        alias = self._draft.alias()
        where = self._where(alias, Window(filters=self._window.filters))
        return f"(select count(*)::text from {self._source()} {alias} where {where})"

    # ── where the rows come from ─────────────────────────────────────────────────────────────────────────────────

    def _source(self) -> str:
        return statements.rows_of(self._relation, self._window, self._draft.sight, self._draft.bind)

    def _in_page(self) -> str:
        """Leaves the row after the page out, where it was read."""
        return f" filter (where {self._alias}.rn <= {self._limit})" if self._peeks else ""

    def _where(self, alias: str, window: Window) -> str:
        where = statements.conditions(self._relation, alias, window, self._draft.sight, self._draft.bind)
        if self._parent is None:
            return where
        near = f"{self._parent.alias}.{self._relation.near}"
        return f"{statements.joined(self._relation, alias, near)} and {where}"

    def _over_rows(self, made: str) -> str:
        window, alias = self._window, self._alias
        order = statements.order_by(window.sort, alias, backwards=window.backwards)
        limit = self._limit + (1 if self._peeks else 0)
        rows = f"select {alias}.* from {self._source()} {alias} where {self._where(alias, window)} order by {order} limit {limit}"
        if self._peeks:
            rows = f"select x.*, row_number() over () as rn from ({rows}) x"
        return f"(select {made} from ({rows}) {alias})"
