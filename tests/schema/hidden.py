"""Looks for what a schema must not show: by introspection, by use, and by names one letter off."""

import json
import re
from collections.abc import Iterator

from graphql import (
    GraphQLSchema,
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


def leaks(schema: GraphQLSchema, everything: GraphQLSchema, sdl: str) -> list[str]:
    """Where a schema tells of something that only `everything` has."""
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
        for text in (name, *misspelt(name)):
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


def answers(schema: GraphQLSchema, query: str, text: str, hidden: set[str]) -> Iterator[str]:
    """What validation says of a query, where it names something hidden that the query did not."""
    for error in validate(schema, parse(query), max_errors=None):
        words = set(re.findall(r"\w+", error.message)) - {text}
        if words & hidden:
            yield error.message


def uses(schema: GraphQLSchema, name: str) -> Iterator[str]:
    """One document that uses a name in every place: field, type, argument, directive, input field, enum value."""
    if not name or not re.fullmatch(r"[_A-Za-z]\w*", name):
        return
    parts = [
        f"query a {{ {name} {{ {name} }} ... on {name} {{ __typename }} }}",
        f"mutation b {{ {name} }}",
        f"query c(${name}: {name}) {{ __typename @{name} }}",
    ]
    for place, kind in enumerate(kind for kind in schema.type_map.values() if not kind.name.startswith("__")):
        if is_object_type(kind) or is_interface_type(kind):
            fields = " ".join(f"{field}({name}: 1)" for field in kind.fields)
            parts.append(f"fragment f{place} on {kind.name} {{ {name} {fields} }}")
        elif is_union_type(kind):
            parts.append(f"fragment f{place} on {kind.name} {{ ... on {name} {{ {name} }} }}")
        elif is_enum_type(kind):
            parts.append(f"query q{place}($v: {kind.name} = {name}) {{ __typename }}")
        elif is_input_object_type(kind):
            parts.append(f"query q{place}($v: {kind.name} = {{ {name}: 1 }}) {{ __typename }}")
    yield " ".join(parts)
