"""What is not released yet: one mark beside a definition, and from it one frozen schema for each set of opened previews.

A mark hides its definition from every schema whose set does not open its preview: a field, a type with whatever has that
type, an argument, an input's field, an enum's value, a member of a union. What is not open is not converted into the
GraphQL schema at all, so introspection, SDL, validation, suggestions and costs cannot know it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, TypeVar, cast

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.schema_directive import Location
from strawberry.types.base import StrawberryContainer, StrawberryObjectDefinition, get_object_definition
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.types.union import StrawberryUnion

from resolvers.errors import InsufficientScope
from schema.deprecations import Sunset, mark_deprecated

SCOPE = "preview:"
M = TypeVar("M")


@strawberry.schema_directive(
    name="preview",
    description="Not released: it may change, and ends or is released by `until`.",
    locations=[
        Location.OBJECT, Location.INTERFACE, Location.UNION, Location.ENUM, Location.ENUM_VALUE, Location.INPUT_OBJECT,
        Location.INPUT_FIELD_DEFINITION, Location.FIELD_DEFINITION, Location.ARGUMENT_DEFINITION,
    ],
)  # fmt: skip
class Stage:
    """The mark, made by `stage`."""

    name: Annotated[str, strawberry.directive_field(name="name")]
    owner: Annotated[str, strawberry.directive_field(name="owner")]
    until: Annotated[str, strawberry.directive_field(name="until")]
    about: Annotated[str, strawberry.directive_field(name="about")]


def stage(name: str, *, owner: str, until: date, about: str) -> Stage:
    """A mark for `directives=[…]` of a definition. `owner`: who answers for it; `about`: one line for partners.

    Past `until` the checks fail, until the preview is released, extended with a reason in the changelog, or removed.
    """
    return Stage(name=name, owner=owner, until=until.isoformat(), about=about)


class NoPreview(InsufficientScope):
    """The token opens no preview."""

    def __init__(self, names: Iterable[str]) -> None:
        scopes = [SCOPE + name for name in sorted(names)]
        super().__init__(" ".join(scopes))
        self.message = f"This needs a token with at least one of the scopes {', '.join(scopes)}."
        self.args = (self.message,)


class StagedSchema(strawberry.Schema):
    """A Strawberry schema of what is released and the `opened` previews."""

    def __init__(self, *, opened: frozenset[str], types: Iterable[Any], config: StrawberryConfig, **parts: Any) -> None:
        self.opened = opened
        self._converter: StagedConverter | None = None
        parts = {name: kind for name, kind in parts.items() if _has_fields(kind, opened)}
        super().__init__(types=[kind for kind in types if shows(kind, opened)], config=config, **parts)
        for kind in self._schema.type_map.values():
            _told(kind, kind.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF))

    @property
    def schema_converter(self) -> Any:
        """What turns definitions into the GraphQL schema."""
        return self._converter

    @schema_converter.setter
    def schema_converter(self, _: GraphQLCoreConverter) -> None:
        self._converter = StagedConverter(self.opened, self.config)

    def _collect_schema_directives(self, *given: Any) -> list[type]:
        """Strawberry finds marks in hidden definitions too; their directives are told of where something open bears them."""
        kinds = super()._collect_schema_directives(*given)
        hidden = {Stage if not self.opened else None, Sunset if not self.schema_converter.deprecates else None}
        return [kind for kind in kinds if kind not in hidden]


class StagedConverter(GraphQLCoreConverter):
    """Converts what is open. Strawberry's own hook, `get_fields`, misses arguments, enum values and union members."""

    def __init__(self, opened: frozenset[str], config: StrawberryConfig) -> None:
        self._opened = opened
        self.deprecates = False
        super().__init__(config, scalar_overrides={}, scalar_map=config.scalar_map, get_fields=self._open_fields)

    def _open_fields(self, definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        return [field for field in definition.fields if self._open(field)]

    def _open(self, item: Any) -> bool:
        return self._shows(item) and shows_type(item.type, self._opened)

    def from_object(self, object_type: StrawberryObjectDefinition) -> GraphQLObjectType:
        """An object with its open interfaces."""
        made = super().from_object(object_type)
        made.interfaces = tuple(self.from_interface(kind) for kind in object_type.interfaces if self._shows(kind))
        return made

    def _shows(self, item: Any) -> bool:
        return shows(item, self._opened)

    def from_field(self, field: StrawberryField, **more: Any) -> GraphQLField:
        """A field with its open arguments."""
        made = super().from_field(field, **more)
        hidden = {argument.python_name for argument in field.arguments if not self._open(argument)}
        made.args = {
            name: told
            for name, told in made.args.items()
            if told.extensions[self.DEFINITION_BACKREF].python_name not in hidden
        }
        return self._marked(made, field)

    def from_input_field(self, field: StrawberryField, **more: Any) -> GraphQLInputField:
        """A field of an input."""
        return self._marked(super().from_input_field(field, **more), field)

    def from_argument(self, argument: Any) -> GraphQLArgument:
        """An argument."""
        made = super().from_argument(argument)
        return self._marked(made, argument) if self._open(argument) else made

    def from_enum_value(self, enum_value: Any) -> GraphQLEnumValue:
        """A value of an enum."""
        return self._marked(super().from_enum_value(enum_value), enum_value)

    def _marked(self, made: M, definition: Any) -> M:
        self.deprecates |= mark_deprecated(made, definition)
        return _told(made, definition)

    def from_enum(self, enum: StrawberryEnumDefinition) -> Any:
        """An enum with its open values."""
        return super().from_enum(replace(enum, values=[value for value in enum.values if self._shows(value)]))

    def from_union(self, union: StrawberryUnion) -> GraphQLUnionType:
        """A union with its open members."""
        name = self.config.name_converter.from_type(union)
        if name in self.type_map:
            kept: GraphQLUnionType = self.type_map[name].implementation  # type: ignore[assignment]
            return kept
        made = super().from_union(union)
        members = {
            self.config.name_converter.from_type(cast(Any, kind).__strawberry_definition__)
            for kind in union.types
            if self._shows(kind)
        }
        made.types = tuple(kind for kind in made.types if kind.name in members)
        return made


def marks_of(item: Any) -> Iterator[Stage]:
    """The marks on a definition or on a decorated class."""
    if isinstance(item, LazyType):
        item = item.resolve_type()
    definition = get_object_definition(item) or getattr(item, "__strawberry_definition__", item)
    for directive in getattr(definition, "directives", None) or ():
        if isinstance(directive, Stage):
            yield directive


def shows(item: Any, opened: frozenset[str]) -> bool:
    """Whether every preview that marks the definition is open."""
    return all(mark.name in opened for mark in marks_of(item))


def shows_type(kind: Any, opened: frozenset[str]) -> bool:
    """Whether a type is open, below lists, options and generics."""
    if isinstance(kind, LazyType):
        kind = kind.resolve_type()
    if isinstance(kind, StrawberryContainer):
        return shows_type(kind.of_type, opened)
    definition = get_object_definition(kind)
    below = definition.type_var_map.values() if definition is not None else ()
    return shows(kind, opened) and all(shows_type(item, opened) for item in below)


def _has_fields(root: Any, opened: frozenset[str]) -> bool:
    """Whether anything of a root type is open; one without a field would be no type."""
    definition = get_object_definition(root)
    return definition is None or any(shows(field, opened) for field in definition.fields)


def _told(made: M, definition: Any) -> M:
    """With what introspection says of a preview: its name, its end and its line."""
    for mark in marks_of(definition):
        line = f"Preview `{mark.name}`, until {mark.until}: {mark.about}"
        before: str | None = getattr(made, "description", None)
        made.description = f"{before}\n\n{line}" if before else line  # type: ignore[attr-defined]
    return made


@dataclass(frozen=True)
class OpenPreview:
    """A preview: its marks, the first to end first, and the coordinates that bear them."""

    marks: tuple[Stage, ...]
    opens: tuple[str, ...]

    @property
    def mark(self) -> Stage:
        """The mark that ends first."""
        return self.marks[0]


def previews_of(schema: strawberry.Schema) -> dict[str, OpenPreview]:
    """What a schema has of each preview, by name."""
    found: dict[str, list[tuple[Stage, str]]] = {}
    for coordinate, definition in _definitions(schema):
        for mark in marks_of(definition):
            found.setdefault(mark.name, []).append((mark, coordinate))
    return {
        name: OpenPreview(
            tuple(sorted((mark for mark, _ in pairs), key=lambda mark: mark.until)),
            tuple(coordinate for _, coordinate in pairs),
        )
        for name, pairs in sorted(found.items())
    }


def _definitions(schema: strawberry.Schema) -> Iterator[tuple[str, Any]]:
    """Every definition behind a GraphQL schema with its coordinate (GraphQL RFC "schema coordinates")."""
    backref = GraphQLCoreConverter.DEFINITION_BACKREF
    for name, kind in sorted(schema._schema.type_map.items()):
        yield name, kind.extensions.get(backref)
        for member, told in _members(kind):
            yield f"{name}.{member}", told.extensions.get(backref)
            for argument, argued in getattr(told, "args", {}).items():
                yield f"{name}.{member}({argument}:)", argued.extensions.get(backref)


def _members(kind: GraphQLNamedType) -> Iterator[tuple[str, Any]]:
    yield from getattr(kind, "fields", {}).items()
    yield from getattr(kind, "values", {}).items()
