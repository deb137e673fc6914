"""Looks for what a schema must not show: by introspection, by use, and by names one letter off."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from graphql import (
    FieldsOnCorrectTypeRule,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    KnownArgumentNamesRule,
    KnownDirectivesRule,
    KnownTypeNamesRule,
    ValuesOfCorrectTypeRule,
    get_introspection_query,
    graphql_sync,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
    is_union_type,
    parse,
    validate,
)

# The rules of validation that name something in their errors; those of the others say only what the query said.
NAMING = (
    KnownTypeNamesRule,
    FieldsOnCorrectTypeRule,
    KnownArgumentNamesRule,
    KnownDirectivesRule,
    ValuesOfCorrectTypeRule,
)


def names_of(schema: GraphQLSchema) -> set[str]:
    """Every name that a schema has, and the words of its descriptions do not count."""
    found: set[str] = {directive.name for directive in schema.directives}
    for name, kind in schema.type_map.items():
        found.add(name)
        for member, told in {**getattr(kind, "fields", {}), **getattr(kind, "values", {})}.items():
            found |= {member, *getattr(told, "args", {})}
    return found


def coordinates_of(schema: GraphQLSchema) -> set[str]:
    """Every coordinate of a schema."""
    found: set[str] = set()
    for name, kind in schema.type_map.items():
        found.add(name)
        for member, told in {**getattr(kind, "fields", {}), **getattr(kind, "values", {})}.items():
            found |= {f"{name}.{member}"} | {f"{name}.{member}({a}:)" for a in getattr(told, "args", {})}
        if is_union_type(kind):
            found |= {f"{name}|{member.name}" for member in kind.types}
        if is_object_type(kind) or is_interface_type(kind):
            found |= {f"{name}&{parent.name}" for parent in kind.interfaces}
    return found


def leaks(
    schema: GraphQLSchema, everything: GraphQLSchema, sdl: str, spellings: Callable[[int, str], Iterable[str]]
) -> list[str]:
    """Where a schema tells of something that only `everything` has.

    `spellings` gives each hidden name, with its number, as it is to be used and misspelt.
    """
    hidden = names_of(everything) - names_of(schema)
    told = json.dumps(graphql_sync(schema, get_introspection_query(input_value_deprecation=True)).data)
    bare = json.dumps(graphql_sync(schema, get_introspection_query(descriptions=False)).data)
    texts = {"introspection": told, "SDL": sdl, "introspection without descriptions": bare}
    found = [
        f"{where} tells {name}"
        for name in sorted(hidden)
        for where, text in texts.items()
        # a plain word, such as "session", stands in descriptions for its own sake
        if (text is bare or not name.islower()) and re.search(rf"\b{name}\b", text)
    ]
    for number, name in enumerate(sorted(hidden)):
        assert graphql_sync(schema, f'{{ __type(name: "{name}") {{ name }} }}').data == {"__type": None}
        for text in spellings(number, name):
            found += [
                f"{query!r}: {line}" for query in uses(schema, text) for line in answers(schema, query, text, hidden)
            ]
    return found


def misspelt(name: str) -> Iterator[str]:
    """A name one letter off: a letter more, less, changed, and the other case."""
    yield name + "x"
    yield name[:-1]
    yield name[: len(name) // 2] + "x" + name[len(name) // 2 + 1 :]
    yield name.swapcase()


def every_way(_: int, name: str) -> Iterator[str]:
    """As it is and in each misspelling."""
    yield name
    yield from misspelt(name)


def in_turn(number: int, name: str) -> Iterator[str]:
    """As it is, and in one misspelling: the next one for the next name."""
    yield name
    yield list(misspelt(name))[number % 4]


def answers(schema: GraphQLSchema, query: str, text: str, hidden: set[str]) -> Iterator[str]:
    """What validation says of a query, where it names something hidden that the query did not."""
    for error in validate(schema, parse(query), NAMING, max_errors=None):
        words = set(re.findall(r"\w+", error.message)) - {text}
        if words & hidden:
            yield error.message


def uses(schema: GraphQLSchema, name: str) -> Iterator[str]:
    """One document that uses a name in every place: field, type, argument, directive, input field, enum value."""
    if name and re.fullmatch(r"[_A-Za-z]\w*", name):
        yield _places(schema).replace("NAME", name)


@cache
def _places(schema: GraphQLSchema) -> str:
    """That document, with NAME for the name."""
    parts = ["query a($NAME: Int) { ... on NAME { __typename @NAME } }"]
    seen: set[frozenset[str]] = set()
    for place, kind in enumerate(kind for kind in schema.type_map.values() if not kind.name.startswith("__")):
        if is_object_type(kind) or is_interface_type(kind):
            parts.append(f"fragment f{place} on {kind.name} {{ NAME {_arguments(kind, seen)} }}")
        elif is_union_type(kind):
            parts.append(f"fragment f{place} on {kind.name} {{ NAME }}")
        elif is_enum_type(kind):
            parts.append(f"query q{place}($v: {kind.name} = NAME) {{ __typename }}")
        elif is_input_object_type(kind):
            parts.append(f"query q{place}($v: {kind.name} = {{ NAME: 1 }}) {{ __typename }}")
    return " ".join(parts)


def _arguments(kind: GraphQLObjectType | GraphQLInterfaceType, seen: set[frozenset[str]]) -> str:
    """A use as an argument of each field whose arguments no field before it had: what is suggested depends on them alone."""
    used = []
    for field, told in kind.fields.items():
        arguments = frozenset(told.args)
        if arguments not in seen:
            seen.add(arguments)
            used.append(f"{field}(NAME: 1)")
    return " ".join(used)
