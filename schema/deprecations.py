"""The mark of what will end: beside its definition in the schema, and from it introspection, SDL and every answer that used it."""

from datetime import date
from typing import Annotated, Any, Final

import strawberry
from graphql import GraphQLSchema
from strawberry.schema_directive import Location

from db.deprecation import Deprecation
from execution.markers import DEPRECATION
from execution.usage import definitions

DIRECTIVE: Final = "sunset"


@strawberry.schema_directive(
    name=DIRECTIVE,
    description="Deprecated: may be gone from the day `on`; use `replacement`.",
    locations=[
        Location.ENUM_VALUE, Location.INPUT_FIELD_DEFINITION, Location.FIELD_DEFINITION, Location.ARGUMENT_DEFINITION,
    ],
)  # fmt: skip
class Sunset:
    """The mark, made by `deprecated`."""

    since: Annotated[str, strawberry.directive_field(name="since")]
    on: Annotated[str, strawberry.directive_field(name="on")]
    replacement: Annotated[str, strawberry.directive_field(name="replacement")]

    @property
    def deprecation(self) -> Deprecation:
        """What it says."""
        return read_mark(self.since, self.on, self.replacement)


def deprecated(*, since: date, sunset: date, replacement: str) -> Sunset:
    """A mark for `directives=[…]` of a field, an argument, an input's field or an enum's value.

    `replacement` is a coordinate, such as `Product.title`, or a few words. ValueError where the notice is too short.
    """
    mark = Deprecation(since, sunset, replacement)
    return Sunset(since=mark.since.isoformat(), on=mark.sunset.isoformat(), replacement=mark.replacement)


def read_mark(since: str, on: str, replacement: str) -> Deprecation:
    """The mark as SDL has it."""
    return Deprecation(date.fromisoformat(since), date.fromisoformat(on), replacement)


def mark_deprecated(made: Any, definition: Any) -> bool:
    """Gives a GraphQL definition the mark of ours that it is made from; whether there was one."""
    for directive in getattr(definition, "directives", None) or ():
        if isinstance(directive, Sunset):
            made.deprecation_reason = f"Use {directive.replacement}; this may be gone from {directive.on}."
            made.extensions = {**made.extensions, DEPRECATION: directive.deprecation}
            return True
    return False


def read_deprecations(schema: GraphQLSchema) -> dict[str, Deprecation]:
    """What will end of a schema that was read from SDL, by coordinate."""
    found = {coordinate: _read(told.ast_node) for coordinate, told in definitions(schema).items()}
    return {coordinate: mark for coordinate, mark in found.items() if mark is not None}


def _read(node: Any) -> Deprecation | None:
    for directive in getattr(node, "directives", None) or ():
        if directive.name.value == DIRECTIVE:
            values = {argument.name.value: argument.value.value for argument in directive.arguments}
            return read_mark(values["since"], values["on"], values["replacement"])
    return None
