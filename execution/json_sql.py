"""JSON written by SQL, byte for byte as orjson writes what the ordinary executor returns.

An expression here is SQL text of type `text`. An object is a concatenation of its parts, so a part that is null makes
the whole null: parts that may be null are wrapped by `or_null`.
"""

from collections.abc import Iterable

import orjson
from graphql import GraphQLEnumType, GraphQLNamedType


def literal(text: str) -> str:
    """Text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def name_of(key: str) -> str:
    """A response key as JSON."""
    return orjson.dumps(key).decode()


def concatenated(parts: Iterable[str]) -> str:
    """Parts joined by `||`; literals that stand side by side become one."""
    joined: list[str] = []
    for part in parts:
        if joined and part.startswith("'") and joined[-1].endswith("'"):
            joined[-1] = joined[-1][:-1] + part[1:]
        else:
            joined.append(part)
    return " || ".join(joined)


def json_object(fields: Iterable[tuple[str, str]]) -> str:
    """An object of response keys and expressions."""
    parts: list[str] = []
    for place, (key, expression) in enumerate(fields):
        parts.append(literal(("," if place else "{") + name_of(key) + ":"))
        parts.append(expression)
    return concatenated([*parts, literal("}")]) if parts else literal("{}")


def typename(kind: GraphQLNamedType) -> str:
    """What `__typename` says of a type."""
    return literal(f'"{kind.name}"')


def array(items: Iterable[str]) -> str:
    """A list of expressions."""
    parts: list[str] = []
    for item in items:
        parts += ["','"] * bool(parts) + [item]
    return concatenated(["'['", *parts, "']'"])


def or_null(expression: str) -> str:
    """The expression, or JSON's null where SQL's is."""
    return f"coalesce({expression}, 'null')"


def quoted(expression: str) -> str:
    """Text that needs no escaping, between quotes."""
    return f"('\"' || {expression} || '\"')"


def escaped(expression: str) -> str:
    """Any text, escaped."""
    return f"to_json({expression})::text"


def boolean(expression: str) -> str:
    """A truth value."""
    return f"case when {expression} then 'true' when not {expression} then 'false' end"


def number(expression: str) -> str:
    """A `float8`. Both write the shortest text that reads back, but Python a whole number with its `.0`; what needs an
    exponent (below 0.0001, from 1e15) is no number that a field of ours has."""
    return f"regexp_replace(({expression})::text, '^(-?[0-9]+)$', '\\1.0')"


def moment(expression: str) -> str:
    """A time, as `db.cursors.rfc3339` prints it."""
    text = f"""to_char({expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
    return quoted(text)


def enum(expression: str, kind: GraphQLEnumType) -> str:
    """An enum's name from its value."""
    names = {_value(member.value): name for name, member in kind.values.items()}
    if all(name == str(value).upper() for value, name in names.items()):
        return quoted(f"upper({expression})")
    cases = " ".join(f"when {literal(str(value))} then {literal(name)}" for value, name in names.items())
    return quoted(f"case {expression} {cases} end")


def _value(member: object) -> object:
    return getattr(member, "value", member)
