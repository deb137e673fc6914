"""What of a schema an operation uses, by coordinate: found once for a document, and in the values that come with each request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    EnumValueNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLSchema,
    Node,
    ObjectFieldNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    type_from_ast,
    visit,
)

from db.deprecation import Deprecation
from execution.documents import Document
from execution.markers import DEPRECATION


@dataclass(frozen=True)
class Usage:
    """The coordinates that stand in a document, and the variables (name and type) whose values name more."""

    coordinates: frozenset[str]
    variables: tuple[tuple[str, Any], ...]

    def given(self, values: Mapping[str, Any]) -> frozenset[str]:
        """All coordinates of one request: the document's, and those that its variables name."""
        if not self.variables:
            return self.coordinates
        more = {found for name, kind in self.variables if name in values for found in _named(kind, values[name])}
        return self.coordinates | more


def usage_of(schema: GraphQLSchema, document: Document, operation: OperationDefinitionNode) -> Usage:
    """What a valid operation and the fragments that it spreads use. GraphQL's own `__` fields do not count."""
    found: set[str] = set()
    to_visit: list[Node] = [operation]
    seen: set[str] = set()
    while to_visit:
        spread: set[str] = set()
        info = TypeInfo(schema)
        visit(to_visit.pop(), TypeInfoVisitor(info, _Collector(info, found, spread)))
        to_visit += [document.fragments[name] for name in spread - seen]
        seen |= spread
    declared = [
        (node.variable.name.value, type_from_ast(schema, node.type)) for node in operation.variable_definitions or ()
    ]
    named = [(name, kind) for name, kind in declared if kind is not None]
    found |= {get_named_type(kind).name for _, kind in named}
    objects = [(name, kind) for name, kind in named if _names_more(get_named_type(kind))]
    return Usage(frozenset(found), tuple(objects))


def _names_more(kind: Any) -> bool:
    return is_enum_type(kind) or is_input_object_type(kind)


class _Collector(Visitor):
    def __init__(self, info: TypeInfo, found: set[str], spread: set[str]) -> None:
        super().__init__()
        self._info, self._found, self._spread = info, found, spread

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent = self._info.get_parent_type()
        field = self._info.get_field_def()
        if parent is None or field is None or node.name.value.startswith("__"):
            return
        coordinate = f"{parent.name}.{node.name.value}"
        self._found.add(coordinate)
        for argument in node.arguments or ():
            self._found.add(f"{coordinate}({argument.name.value}:)")
            self._add_input(field.args[argument.name.value].type)

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        parent = get_named_type(self._info.get_parent_input_type())
        if parent is not None:
            self._found |= {parent.name, f"{parent.name}.{node.name.value}"}
            self._add_input(self._info.get_input_type())

    def enter_enum_value(self, node: EnumValueNode, *_: Any) -> None:
        kind = get_named_type(self._info.get_input_type())
        if kind is not None:
            self._found.add(f"{kind.name}.{node.value}")

    def enter_inline_fragment(self, *_: Any) -> None:
        self._add_type()

    def enter_fragment_definition(self, *_: Any) -> None:
        self._add_type()

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self._spread.add(node.name.value)

    def _add_input(self, kind: Any) -> None:
        if is_input_object_type(get_named_type(kind)):
            self._found.add(get_named_type(kind).name)

    def _add_type(self) -> None:
        kind = self._info.get_type()
        if kind is not None:
            self._found.add(get_named_type(kind).name)


def _named(kind: Any, value: Any) -> Iterator[str]:
    """The coordinates that a variable's value names, as far as it fits its type."""
    kind = get_nullable_type(kind)
    if is_list_type(kind):
        for item in value if isinstance(value, list) else [value]:
            yield from _named(kind.of_type, item)
    elif is_enum_type(kind) and isinstance(value, str):
        yield f"{kind.name}.{value}"
    elif is_input_object_type(kind) and isinstance(value, dict):
        yield kind.name
        for name, inner in value.items():
            if name in kind.fields:
                yield f"{kind.name}.{name}"
                yield from _named(kind.fields[name].type, inner)


def deprecations_of(schema: GraphQLSchema) -> dict[str, Deprecation]:
    """What a schema has that will end, by coordinate."""
    marks = {coordinate: told.extensions.get(DEPRECATION) for coordinate, told in definitions(schema).items()}
    return {coordinate: mark for coordinate, mark in marks.items() if mark is not None}


def definitions(schema: GraphQLSchema) -> dict[str, Any]:
    """Every definition of a schema but GraphQL's own, by coordinate (GraphQL specification, "Schema Coordinates")."""
    found: dict[str, Any] = {}
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        found[name] = kind
        for member, told in {**getattr(kind, "fields", {}), **getattr(kind, "values", {})}.items():
            found[f"{name}.{member}"] = told
            found |= {f"{name}.{member}({a}:)": argument for a, argument in getattr(told, "args", {}).items()}
    return found
