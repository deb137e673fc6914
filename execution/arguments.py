"""Arguments and variables as the planner needs them: their values now, and where a later run finds its own.

A plan is compiled for a *shape* of the variables: what they are decides which clauses stand in the SQL (absent or null,
enums, booleans, numbers, the kind of an id), while text, times and decimals are parameters. `shape_of` gives the key
under which a plan is kept, so that two requests share a plan exactly when they share its SQL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLInputObjectType,
    ObjectValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from graphql.language import ArgumentNode, ListValueNode, NullValueNode, ValueNode
from graphql.pyutils import Undefined
from graphql.utilities import value_from_ast

from db.ids import PREFIXES


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
class Argument:
    """One argument's value at compile time and the source of its value at run time. Objects hold arguments by name."""

    value: Any
    source: Const | Var


def arguments(
    nodes: tuple[ArgumentNode, ...] | None, declared: Mapping[str, GraphQLArgument], variables: Mapping[str, Any]
) -> dict[str, Argument]:
    """A field's arguments that were sent and are not null, by name; defaults filled in."""
    sent = {node.name.value: node.value for node in nodes or ()}
    found: dict[str, Argument] = {}
    for name, told in declared.items():
        if name in sent:
            argument = _argument(sent[name], told.type, variables)
        elif told.default_value is not Undefined:
            argument = Argument(told.default_value, Const(told.default_value))
        else:
            continue
        if argument is not None and argument.value is not None:
            found[name] = argument
    return found


def _argument(node: ValueNode, kind: Any, variables: Mapping[str, Any]) -> Argument | None:
    if isinstance(node, VariableNode):
        name = node.name.value
        return _from_value(variables[name], Var(name)) if name in variables else None
    if isinstance(node, NullValueNode):
        return None
    named = get_named_type(kind)
    if isinstance(node, ObjectValueNode) and isinstance(named, GraphQLInputObjectType):
        fields = {f.name.value: _argument(f.value, named.fields[f.name.value].type, variables) for f in node.fields}
        return Argument({name: given for name, given in fields.items() if given is not None}, Const(None))
    if isinstance(node, ListValueNode) and is_list_type(get_nullable_type(kind)):
        inner = get_nullable_type(kind).of_type
        items = [_argument(item, inner, variables) for item in node.values]
        return Argument(items, Const(None))
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
        prefix = value.split("_", 1)[0]
        return prefix if prefix in PREFIXES else str
    if value is None or isinstance(value, bool | int | Enum):
        return value
    if isinstance(value, dict):
        return tuple((name, shape_of(item)) for name, item in value.items())
    if isinstance(value, list):
        return (list, tuple(shape_of(item) for item in value))
    return type(value)
