"""Every field of every root, told a text that no database keeps in each place that takes text: never INTERNAL."""

from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_leaf_type,
)

from schema.build import ALL_PREVIEWS, build_schema
from tests.factories import Partner

SCHEMA = build_schema(ALL_PREVIEWS)._schema
ROOTS: dict[str, Any] = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type}
FIELDS = [(word, name) for word, root in ROOTS.items() if root for name, field in root.fields.items() if field.args]
PLAIN = {
    "Int": "1", "Float": "1.5", "Boolean": "true", "Decimal": '"1.00"', "DateTime": '"2026-11-24T10:00:00Z"',
    "Currency": '"EUR"', "JSON": '{a: "\\u0000"}',
}  # fmt: skip


def told(kind: Any, text: str, depth: int = 0) -> str:
    """A literal of this type, with the text wherever text may stand."""
    if isinstance(kind, GraphQLNonNull):
        return told(kind.of_type, text, depth)
    if isinstance(kind, GraphQLList):
        return f"[{told(kind.of_type, text, depth)}]"
    if isinstance(kind, GraphQLEnumType):
        return str(next(iter(kind.values)))
    if isinstance(kind, GraphQLInputObjectType):
        needed = {n: f for n, f in kind.fields.items() if depth < 3 or isinstance(f.type, GraphQLNonNull)}
        return "{" + ", ".join(f"{name}: {told(field.type, text, depth + 1)}" for name, field in needed.items()) + "}"
    return PLAIN.get(kind.name, f'"{text}"')


def asked(word: str, name: str, text: str) -> str:
    """The field with an argument in every place; cursors aside, which are refused before anything is looked for."""
    root: Any = ROOTS[word]
    field = root.fields[name]
    paging = {"first", "last", "after", "before"}
    arguments = {n: told(a.type, text) for n, a in field.args.items() if n not in paging}
    given = ", ".join(f"{n}: {value}" for n, value in arguments.items())
    leaf = is_leaf_type(get_named_type(field.type))
    return f"{word} {{ {name}{f'({given})' if given else ''}{'' if leaf else ' { __typename }'} }}"


@pytest.mark.parametrize(("word", "name"), FIELDS)
async def test_a_text_that_no_database_keeps_is_refused_or_not_found(partner: Partner, word: str, name: str) -> None:
    for text in ("\\u0000", "a\\u0000b", "\\uD800", "x" * 4000):
        sent = {"query": asked(word, name, text)}
        answer = (await partner.call("POST", "/graphql/preview", json=sent)).json()
        codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
        assert "INTERNAL" not in codes, (sent, answer)


def test_every_place_is_reached() -> None:
    assert {"productUpsert", "webhookDelete", "productSizeChartSet", "webhookSecret"} <= {name for _, name in FIELDS}
    assert '"\\u0000"' in asked("mutation", "webhookDelete", "\\u0000")
