"""What differs between two texts of the GraphQL schema, in words for a partner; and which of it was not announced in time."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from graphql import (
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_abstract_type,
    is_input_object_type,
    specified_scalar_types,
)
from graphql.utilities.find_schema_changes import (
    BreakingChangeType,
    DangerousChangeType,
    SafeChangeType,
    SchemaChange,
    find_schema_changes,
)

from db.deprecation import Deprecation
from execution.usage import definitions
from resolvers.releases import Change, Kind
from schema.deprecations import read_deprecations

_COORDINATE: Final = re.compile(r"@?[_A-Z]\w*\.\w+(?:\(\w+:\))?|@\w+(?:\(\w+:\))?")
_ADDED: Final = {
    SafeChangeType.TYPE_ADDED, SafeChangeType.FIELD_ADDED, SafeChangeType.OPTIONAL_ARG_ADDED,
    SafeChangeType.OPTIONAL_INPUT_FIELD_ADDED, SafeChangeType.ARG_DEFAULT_VALUE_ADDED,
    SafeChangeType.FIELD_CHANGED_KIND_SAFE, SafeChangeType.ARG_CHANGED_KIND_SAFE,
}  # fmt: skip
_OPTIONAL: Final = {DangerousChangeType.OPTIONAL_ARG_ADDED, DangerousChangeType.OPTIONAL_INPUT_FIELD_ADDED}
# These are of a type and not of a member that one could deprecate: they touch whoever meets the type.
_OF_TYPES: Final = {
    BreakingChangeType.TYPE_REMOVED, BreakingChangeType.TYPE_CHANGED_KIND, BreakingChangeType.TYPE_REMOVED_FROM_UNION,
    BreakingChangeType.IMPLEMENTED_INTERFACE_REMOVED, BreakingChangeType.REQUIRED_INPUT_FIELD_ADDED,
    DangerousChangeType.VALUE_ADDED_TO_ENUM, DangerousChangeType.TYPE_ADDED_TO_UNION,
    DangerousChangeType.IMPLEMENTED_INTERFACE_ADDED,
}  # fmt: skip


def changes_between(old: str, new: str) -> tuple[Change, ...]:
    """What two SDLs differ in. Descriptions alone are no change; those of directives touch no query."""
    before, after = build_schema(old), build_schema(new)
    found = [_change(one, before) for one in find_schema_changes(before, after) if _matters(one)]
    marks, known = read_deprecations(after), read_deprecations(before)
    newly = [deprecation_change(at, mark) for at, mark in marks.items() if known.get(at) != mark]
    ends = [_with_mark(change, known) for change in found]
    return tuple(ends + newly)


def deprecation_change(coordinate: str, mark: Deprecation) -> Change:
    """A deprecation as a change."""
    message = f"`{coordinate}` is deprecated and may be gone from {mark.sunset}; use {quoted(mark.replacement)}."
    return Change("graphql", "deprecated", coordinate, message, frozenset({coordinate}), deprecation=mark)


def quoted(replacement: str) -> str:
    """A replacement, in backticks where it is a coordinate and not a few words."""
    return f"`{replacement}`" if re.fullmatch(r"[\w.(:)]+", replacement) else replacement


def unannounced(old: str, changes: Iterable[Change], ended: frozenset[str]) -> list[Change]:
    """The breaking changes that none of the `ended` coordinates of the old SDL allows.

    What has its own end, or an end of the field around it, may change. A type may where every way that leads to it has ended.
    """
    before = build_schema(old)
    reached = _reached(before, ended)

    def allowed(change: Change) -> bool:
        kind = change.coordinate.split(".")[0]
        return kind not in reached or not ended.isdisjoint(change.within)

    return [change for change in changes if change.kind == "breaking" and not allowed(change)]


def _reached(schema: GraphQLSchema, ended: frozenset[str]) -> set[str]:
    """The types that clients can come to by anything that has not ended."""
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    waiting: list[Any] = [root for root in roots if root is not None]
    reached: set[str] = set()
    while waiting:
        kind = waiting.pop()
        if kind.name in reached:
            continue
        reached.add(kind.name)
        waiting += schema.get_possible_types(kind) if is_abstract_type(kind) else ()
        waiting += getattr(kind, "interfaces", ())
        waiting += [get_named_type(told.type) for at, told in _typed_members(kind) if _open(at, ended)]
    return reached


def _open(coordinate: str, ended: frozenset[str]) -> bool:
    return coordinate not in ended and coordinate.split("(")[0] not in ended


def _typed_members(kind: Any) -> Iterator[tuple[str, Any]]:
    for name, told in getattr(kind, "fields", {}).items():
        yield f"{kind.name}.{name}", told
        for argument, argued in getattr(told, "args", {}).items():
            yield f"{kind.name}.{name}({argument}:)", argued


def _matters(one: SchemaChange) -> bool:
    """Descriptions and what only adds to directives are left out, and so are the marks that only describe."""
    if one.description.split()[0] in specified_scalar_types or one.description.startswith("Standard scalar"):
        return False  # GraphQL's own come and go with what uses them
    if isinstance(one.type, SafeChangeType):
        return one.type in _ADDED
    return "@sunset" not in one.description and "@preview" not in one.description


def _change(one: SchemaChange, before: GraphQLSchema) -> Change:
    kind: Kind = "added" if isinstance(one.type, SafeChangeType) or one.type in _OPTIONAL else "careful"
    kind = "breaking" if isinstance(one.type, BreakingChangeType) else kind
    coordinate = _coordinate(one)
    within = (coordinate, coordinate.split("(")[0])
    return Change("graphql", kind, coordinate, _said(one.description), _keys(one, coordinate, before), within)


def _coordinate(one: SchemaChange) -> str:
    found = _COORDINATE.search(one.description)
    if found and one.type != BreakingChangeType.TYPE_REMOVED_FROM_UNION:
        return found[0]
    words = one.description.rstrip(".").split()
    if (
        "union" in words or "interfaces" in words
    ):  # `A was added to union type B`, `A added to interfaces implemented by B`
        return words[-1]
    return words[0]


def _keys(one: SchemaChange, coordinate: str, before: GraphQLSchema) -> frozenset[str]:
    """Whoever used one of these is touched by the change."""
    if isinstance(one.type, SafeChangeType) or one.type in _OPTIONAL:
        return frozenset()
    kind = coordinate.split(".")[0]
    if one.type in _OF_TYPES:
        return frozenset({kind, *_leading_to(kind, before)})
    if one.type in (BreakingChangeType.REQUIRED_ARG_ADDED, DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE):
        return frozenset({coordinate.split("(")[0]})
    if one.type == DangerousChangeType.INPUT_FIELD_DEFAULT_VALUE_CHANGE:
        return frozenset({kind})
    if one.description.endswith("!.") and (one.type == BreakingChangeType.ARG_CHANGED_KIND or _is_input(kind, before)):
        return frozenset({coordinate, coordinate.split("(")[0] if "(" in coordinate else kind})  # also who left it out
    return frozenset({coordinate})


def _is_input(kind: str, schema: GraphQLSchema) -> bool:
    return is_input_object_type(schema.type_map.get(kind))


def _leading_to(kind: str, schema: GraphQLSchema) -> Iterator[str]:
    """The fields and arguments that have a type, or a union or interface that it belongs to."""
    there: Any = schema.type_map.get(kind)
    around = [one.name for one in schema.type_map.values() if is_abstract_type(one) and _belongs(schema, one, there)]
    wanted = {kind, *around}
    for coordinate, told in definitions(schema).items():
        if hasattr(told, "type") and get_named_type(told.type).name in wanted:
            yield coordinate


def _belongs(schema: GraphQLSchema, abstract: Any, kind: Any) -> bool:
    return kind is not None and hasattr(kind, "interfaces") and schema.is_sub_type(abstract, kind)


def _with_mark(change: Change, known: Mapping[str, Deprecation]) -> Change:
    mark = next((known[at] for at in change.within if at in known), None)
    if change.kind != "breaking" or mark is None:
        return change
    message = f"{change.message[:-1]}; use {quoted(mark.replacement)}."
    return Change(change.surface, change.kind, change.coordinate, message, change.keys, change.within, mark)


_WORDS: Final[tuple[tuple[str, Callable[[re.Match[str]], str]], ...]] = (
    (r"^(?:Field|Argument|Enum value|An optional field|An optional argument) (\S+) was added\.$", lambda m: f"`{m[1]}` is new."),
    (r"^(?:Field|Argument|Enum value) (\S+) was removed\.$", lambda m: f"`{m[1]}` is gone."),
    (r"^A required (?:field|argument) (\S+) was added\.$", lambda m: f"`{m[1]}` is new and must be given."),
    (
        r"^(?:Field|Argument) (\S+) (?:has )?changed type from (\S+) to (\S+)\.$",
        lambda m: f"`{m[1]}` is `{m[3]}` and was `{m[2]}`.",
    ),
    (r"^(\S+) was removed from union type (\S+)\.$", lambda m: f"`{m[1]}` is no longer among `{m[2]}`."),
    (r"^(\S+) was added to union type (\S+)\.$", lambda m: f"`{m[1]}` can now be among `{m[2]}`."),
    (
        r"^(\S+) has changed defaultValue from (.+) to (.+)\.$",
        lambda m: f"The default of `{m[1]}` is `{m[3]}` and was `{m[2]}`.",
    ),
    (r"^(\S+) was added\.$", lambda m: f"The type `{m[1]}` is new."),
    (r"^(\S+) was removed\.$", lambda m: f"The type `{m[1]}` is gone."),
)  # fmt: skip


def _said(description: str) -> str:
    """A sentence of graphql-core in the words of this project's partners."""
    for pattern, told in _WORDS:
        found = re.match(pattern, description)
        if found:
            return told(found)
    return description
