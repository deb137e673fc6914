"""What an operation costs before it runs: an object is one point, a list its page size times what one item costs.

Introspection, scalars and enums are free. The page size is the argument `first` or `last`, or 20 where neither is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
)
from graphql.language import IntValueNode, ListValueNode, VariableNode

from db.cursors import DEFAULT_PAGE, LARGEST_PAGE


@dataclass
class Costliest:
    """The dearest connection met: where it is, its page size and its share of the cost."""

    path: str = ""
    page: int = 0
    cost: int = 0


@dataclass
class _Walk:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    costliest: Costliest


def cost_of(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> tuple[int, Costliest]:
    """Points of a validated operation, and its dearest connection."""
    root = schema.get_root_type(operation.operation)
    walk = _Walk(schema, fragments, variables, Costliest())
    total = _selection(walk, operation.selection_set, root, DEFAULT_PAGE, "") if root is not None else 0
    return total, walk.costliest


def _selection(walk: _Walk, selections: SelectionSetNode, parent: Any, page: int, path: str) -> int:
    total = 0
    for node in selections.selections:
        if isinstance(node, FieldNode):
            total += _field(walk, node, parent, page, path)
        elif isinstance(node, InlineFragmentNode):
            kind = walk.schema.get_type(node.type_condition.name.value) if node.type_condition else parent
            total += _selection(walk, node.selection_set, kind, page, path)
        elif isinstance(node, FragmentSpreadNode):
            fragment = walk.fragments[node.name.value]
            kind = walk.schema.get_type(fragment.type_condition.name.value)
            total += _selection(walk, fragment.selection_set, kind, page, path)
    return total


def _field(walk: _Walk, node: FieldNode, parent: Any, page: int, path: str) -> int:
    name = node.name.value
    if name.startswith("__") or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        return 0
    field = parent.fields[name]
    kind = get_named_type(field.type)
    if node.selection_set is None or not is_composite_type(kind):
        return 0
    here = f"{path}.{node.alias.value if node.alias else name}".lstrip(".")
    if "first" in field.args:
        return _connection(walk, node, kind, here)
    times = _length(walk, node, page) if _is_list(field.type) else 1
    return times * (1 + _selection(walk, node.selection_set, kind, page, here))


def _connection(walk: _Walk, node: FieldNode, kind: Any, path: str) -> int:
    """`nodes` and `edges` below multiply by this page; the connection itself is one point."""
    page = _page(walk, node)
    assert node.selection_set is not None  # noqa: S101 - a connection without a selection does not validate
    cost = 1 + _selection(walk, node.selection_set, kind, page, path)
    if cost > walk.costliest.cost or path.count(".") > walk.costliest.path.count("."):
        walk.costliest = Costliest(path, page, cost)
    return cost


def _is_list(kind: Any) -> bool:
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)


def _length(walk: _Walk, node: FieldNode, page: int) -> int:
    """A list outside a connection is as long as the ids that it is asked for, or a handful."""
    if node.name.value in ("nodes", "edges") and not node.arguments:
        return page
    for argument in node.arguments or ():
        value: Any = argument.value
        if isinstance(value, VariableNode):
            value = walk.variables.get(value.name.value)
        items = value.values if isinstance(value, ListValueNode) else value
        if isinstance(items, list | tuple):
            return len(items)
    return 5


def _page(walk: _Walk, node: FieldNode) -> int:
    for argument in node.arguments or ():
        if argument.name.value in ("first", "last"):
            value: Any = argument.value
            size = walk.variables.get(value.name.value) if isinstance(value, VariableNode) else None
            size = int(value.value) if isinstance(value, IntValueNode) else size
            if isinstance(size, int):
                return max(0, min(size, LARGEST_PAGE))
    return DEFAULT_PAGE
