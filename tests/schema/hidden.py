"""Looks for what a schema must not show: by introspection, by use, and by names one letter off."""

import json
import re
from collections.abc import Callable, Iterable, Iterator

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

_AT_ONCE = 50


def names_of(schema: GraphQLSchema) -> set[str]:
    """Every name that a schema has, and the words of its descriptions do not count."""
    found: set[str] = {name for directive in schema.directives for name in (directive.name, *directive.args)}
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
    schema: GraphQLSchema, everything: GraphQLSchema, sdl: str, spellings: Callable[[str], Iterable[str]]
) -> list[str]:
    """Where a schema tells of something that only `everything` has. `spellings`: as what each hidden name is to be used."""
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
    for name in sorted(hidden):
        assert graphql_sync(schema, f'{{ __type(name: "{name}") {{ name }} }}').data == {"__type": None}
    words = [word for name in sorted(hidden) for word in spellings(name) if re.fullmatch(r"[_A-Za-z]\w*", word)]
    for start in range(0, len(words), _AT_ONCE):
        found += answers(schema, uses(schema, words[start : start + _AT_ONCE]), hidden)
    return found


def misspelt(name: str) -> Iterator[str]:
    """A name one letter off: a letter more, less, changed, and the other case."""
    yield name + "x"
    yield name[:-1]
    yield name[: len(name) // 2] + "x" + name[len(name) // 2 + 1 :]
    yield name.swapcase()


def as_it_is(name: str) -> Iterator[str]:
    """The name alone."""
    yield name


def every_way(name: str) -> Iterator[str]:
    """As it is and in each misspelling."""
    yield name
    yield from misspelt(name)


def answers(schema: GraphQLSchema, query: str, hidden: set[str]) -> Iterator[str]:
    """What validation says of a query, where it names something hidden that the query did not in that place."""
    for error in validate(schema, parse(query), NAMING, max_errors=None):
        said = [query[node.loc.start : node.loc.end] for node in error.nodes or () if node.loc]
        words = set(re.findall(r"\w+", error.message)) - set(re.findall(r"\w+", " ".join(said)))
        if words & hidden:
            yield error.message


def uses(schema: GraphQLSchema, names: list[str]) -> str:
    """One document that uses names in every place: field, type, argument, directive, input field, enum value."""
    parts = [f"query a{n}{{ ... on {name} {{ __typename @{name} }} }}" for n, name in enumerate(names)]
    fields, arguments = " ".join(names), ", ".join(f"{name}: 1" for name in names)
    seen: set[frozenset[str]] = set()
    for place, kind in enumerate(kind for kind in schema.type_map.values() if not kind.name.startswith("__")):
        if is_object_type(kind) or is_interface_type(kind):
            asked = " ".join(f"{field}({arguments})" for field in _places(kind, seen))
            parts.append(f"fragment f{place} on {kind.name} {{ {fields} {asked} }}")
        elif is_union_type(kind):
            parts.append(f"fragment f{place} on {kind.name} {{ {fields} }}")
        elif is_enum_type(kind) or is_input_object_type(kind):
            value = "{}" if is_enum_type(kind) else "{{ {}: 1 }}"
            parts += [
                f"query q{place}_{n}($v: {kind.name} = {value.format(name)}) {{ __typename }}"
                for n, name in enumerate(names)
            ]
    return " ".join(parts)


def _places(kind: GraphQLObjectType | GraphQLInterfaceType, seen: set[frozenset[str]]) -> Iterator[str]:
    """The fields whose arguments no field before them had: what is suggested for an argument depends on them alone."""
    for field, told in kind.fields.items():
        arguments = frozenset(told.args)
        if arguments not in seen:
            seen.add(arguments)
            yield field
