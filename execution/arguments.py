"""Arguments and variables as the planner needs them: their values now, and where a later run finds its own.

A plan is compiled for a *shape* of the variables: what they are decides which clauses stand in the SQL (absent or null,
enums, booleans, numbers, the kind of an id), while text, times and decimals are parameters. `shape_of` gives the key
under which a plan is kept, so that two requests share a plan exactly when they share its SQL.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLInputObjectType,
    ObjectValueNode,
    VariableNode,
    is_list_type,
    is_non_null_type,
)
from graphql.language import ArgumentNode, ListValueNode, NullValueNode, ValueNode
from graphql.pyutils import Undefined
from graphql.utilities import value_from_ast

from db.ids import PREFIXES
from execution.errors import Unplanned


@dataclass(frozen=True)
class Const:
    """A value that the document itself holds."""

    value: Any


@dataclass(frozen=True)
class Var:
    """A value that comes with each request: a variable, or a place inside one."""

    name: str
    path: tuple[str | int, ...] = ()

    def of(self, variables: Mapping[str, Any]) -> Any:
        """The value in these variables, enums by their value."""
        value = variables[self.name]
        for step in self.path:
            value = value[step]
        return value.value if isinstance(value, Enum) else value


@dataclass(frozen=True)
class Items:
    """A list, each of whose items has a source of its own."""

    sources: tuple[Const | Var, ...]


@dataclass(frozen=True)
class Argument:
    """One argument's value at compile time and the source of its value at run time. Objects hold arguments by name."""

    value: Any
    source: Const | Var


def arguments(
    nodes: Iterable[ArgumentNode] | None, declared: Mapping[str, GraphQLArgument], variables: Mapping[str, Any]
) -> dict[str, Argument]:
    """A field's arguments that are not null, by name; defaults filled in. Unplanned where a null may not stand."""
    return _given({node.name.value: node.value for node in nodes or ()}, declared, variables)


def _given(
    sent: Mapping[str, ValueNode], declared: Mapping[str, Any], variables: Mapping[str, Any]
) -> dict[str, Argument]:
    """Arguments of a field, or fields of an input object: the rules are the same (spec sections 6.4.1 and 3.10)."""
    found: dict[str, Argument] = {}
    for name, told in declared.items():
        node = sent.get(name)
        if node is not None and not _is_absent(node, variables):
            argument = _argument(node, told.type, variables)
        elif told.default_value is not Undefined:
            argument = Argument(told.default_value, Const(told.default_value))
        else:
            continue
        if argument.value is not None:
            found[name] = argument
    return found


def _is_absent(node: ValueNode, variables: Mapping[str, Any]) -> bool:
    return isinstance(node, VariableNode) and node.name.value not in variables


def _argument(node: ValueNode, kind: Any, variables: Mapping[str, Any]) -> Argument:
    if is_non_null_type(kind):
        argument = _argument(node, kind.of_type, variables)
        if argument.value is None:
            raise Unplanned("bad_argument")
        return argument
    if isinstance(node, VariableNode):
        name = node.name.value
        return _from_value(variables.get(name), Var(name))
    if isinstance(node, NullValueNode):
        return Argument(None, Const(None))
    if is_list_type(kind):
        items = node.values if isinstance(node, ListValueNode) else (node,)  # a single value is a list of one
        return Argument([_argument(item, kind.of_type, variables) for item in items], Const(None))
    if isinstance(node, ObjectValueNode) and isinstance(kind, GraphQLInputObjectType):
        return Argument(_given({f.name.value: f.value for f in node.fields}, kind.fields, variables), Const(None))
    value = value_from_ast(node, kind)
    value = value.value if isinstance(value, Enum) else value
    return Argument(value, Const(value))


def _from_value(value: Any, source: Var) -> Argument:
    if isinstance(value, dict):
        fields = {name: _from_value(item, Var(source.name, (*source.path, name))) for name, item in value.items()}
        return Argument({name: given for name, given in fields.items() if given.value is not None}, source)
    if isinstance(value, list):
        items = [_from_value(item, Var(source.name, (*source.path, place))) for place, item in enumerate(value)]
        return Argument(items, source)
    return Argument(value.value if isinstance(value, Enum) else value, source)


def shape_of(value: Any) -> Any:
    """What of a variable's value decides the text of a plan's SQL."""
    if isinstance(value, str):
        if not value:
            return ""
        prefix = value.split("_", 1)[0]
        return prefix if prefix in PREFIXES else str
    if value is None or isinstance(value, bool | int | Enum):
        return value
    if isinstance(value, dict):
        return tuple((name, shape_of(item)) for name, item in value.items())
    if isinstance(value, list):
        return (list, tuple(shape_of(item) for item in value))
    return type(value)
