"""What an operation costs before it runs: an object is one point, a list its page size times what one item costs.

Introspection, scalars and enums are free. The page size is the argument `first` or `last`, or 20 where neither is sent.
Fields are counted as they are executed: fragments opened, skipped ones left out, equal keys merged; of an interface's
types, the dearest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_list_type,
)
from graphql.language import IntValueNode, ListValueNode, VariableNode

from db.cursors import DEFAULT_PAGE, LARGEST_PAGE
from execution.documents import Document
from execution.errors import CostLimit, Unplanned
from execution.selections import Selections, below

HANDFUL = 5  # how long a list is taken to be that is no connection
Paging = Callable[[str, int], int]


@dataclass(frozen=True)
class Cost:
    """Points, and the share of each connection by its path: how many points it makes in all, and its page size."""

    points: int
    lists: Mapping[str, tuple[int, int]]


def cost_of(
    schema: GraphQLSchema, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any],
    paging: Paging = lambda path, page: page,
) -> Cost:  # fmt: skip
    """What an operation costs; `paging` may try other page sizes than those that are asked for."""
    walk = _Walk(schema, Selections(schema, document.fragments, variables), variables, paging)
    root: Any = schema.get_root_type(operation.operation)
    try:
        points = walk.fields(root, walk.selections.of(root, [operation.selection_set]), "", 1, 0)
    except Unplanned:  # a condition that is null: the executor will refuse it
        points = 0
    return Cost(points, walk.lists)


@dataclass
class _Walk:
    schema: GraphQLSchema
    selections: Selections
    variables: Mapping[str, Any]
    paging: Paging
    lists: dict[str, tuple[int, int]] = field(default_factory=dict)

    def fields(
        self, kind: GraphQLObjectType, fields: Mapping[str, list[FieldNode]], path: str, times: int, page: int
    ) -> int:
        """Points below one object that stands there `times` times; `page`: of the connection at hand."""
        return sum(self.field(kind, nodes, f"{path}.{key}".lstrip("."), times, page) for key, nodes in fields.items())

    def field(self, parent: GraphQLObjectType, nodes: Sequence[FieldNode], path: str, times: int, page: int) -> int:
        """Points of one field of one such object."""
        told = parent.fields.get(nodes[0].name.value)
        if told is None or not is_composite_type(get_named_type(told.type)):
            return 0
        kind: Any = get_named_type(told.type)
        if "first" in told.args:
            page = self.paging(path, self.page(nodes[0]))
            cost = 1 + self.below(kind, nodes, path, times, page)
            self.lists[path] = (cost * times, page)
            return cost
        length = self.length(nodes[0], page) if is_list_type(get_nullable_type(told.type)) else 1
        return length * (1 + self.below(kind, nodes, path, times * length, page))

    def below(self, kind: Any, nodes: Sequence[FieldNode], path: str, times: int, page: int) -> int:
        """Points below one object of a type; of an interface's types, those of the dearest."""
        kinds = self.schema.get_possible_types(kind) if is_abstract_type(kind) else (kind,)
        sets = below(nodes)
        return max(self.fields(one, self.selections.of(one, sets), path, times, page) for one in kinds)

    def length(self, node: FieldNode, page: int) -> int:
        """A list outside a connection is as long as the ids that it is asked for, or a handful."""
        if node.name.value in ("nodes", "edges") and not node.arguments:
            return page
        for argument in node.arguments or ():
            value: Any = argument.value
            value = self.variables.get(value.name.value) if isinstance(value, VariableNode) else value
            items = value.values if isinstance(value, ListValueNode) else value
            if isinstance(items, list | tuple):
                return len(items)
        return HANDFUL

    def page(self, node: FieldNode) -> int:
        """The page size that is asked for; what is out of bounds is refused when it runs."""
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value: Any = argument.value
                size = self.variables.get(value.name.value) if isinstance(value, VariableNode) else None
                size = int(value.value) if isinstance(value, IntValueNode) else size
                if isinstance(size, int):
                    return max(0, min(size, LARGEST_PAGE))
        return DEFAULT_PAGE


def refusal(cost: Cost, limit: int, try_paging: Callable[[Paging], int]) -> CostLimit:
    """Names the dearest list and a page size with which the whole passes: there alone, or else in every list."""
    by_share = sorted(cost.lists, key=lambda path: -cost.lists[path][0])
    for path in by_share[:3]:
        passing = _largest(limit, try_paging, _only(path))
        if passing:
            return _told(cost, limit, path, passing, f"ask for first: {passing} there")
    passing = _largest(limit, try_paging, lambda size: lambda _, page: min(page, size))
    advice = f"ask for first: {passing} in every list" if passing else "ask for less at once"
    return _told(cost, limit, by_share[0] if by_share else "", passing, advice)


def _only(path: str) -> Callable[[int], Paging]:
    return lambda size: lambda here, page: min(page, size) if here == path else page


def _largest(limit: int, try_paging: Callable[[Paging], int], paging: Callable[[int], Paging]) -> int:
    """The largest page size that passes; 0 where none does. Cost grows with the page size, so halving finds it."""
    low, high = 0, LARGEST_PAGE
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if try_paging(paging(middle)) <= limit else (low, middle - 1)
    return low


def _told(cost: Cost, limit: int, path: str, passing: int, advice: str) -> CostLimit:
    where = f" The costliest part is {path}; {advice}." if path else f" Please {advice}."
    told = {"requested": cost.points, "limit": limit, "path": path, "page": cost.lists.get(path, (0, 0))[1]}
    message = f"The query costs {cost.points} points and {limit} are allowed.{where}"
    return CostLimit(message, told | ({"suggestedPage": passing} if passing else {}))
