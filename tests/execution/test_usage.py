"""What an operation uses: exactly those coordinates without which it would fail."""

from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    Visitor,
    build_ast_schema,
    parse,
    validate,
    visit,
)
from graphql.execution.values import get_variable_values
from graphql.language import REMOVE

from execution.documents import DocumentCache
from execution.usage import definitions, usage_of

SDL = parse("""
directive @on(stage: Stage) on FIELD
enum Stage { DAY NIGHT }
interface Named { name: String }
union Thing = Shoe | Coat
enum Size { S M L }
type Shoe implements Named { name: String size: Size shop(near: ID): Shop }
type Coat implements Named { name: String cuff(side: Int = 1, unit: String): Int }
type Shop { shoes(wish: Wish, first: Int, sizes: [Size!]): [Shoe!]! rating: Int }
input Wish { size: Size colour: String also: [Wish!] at: Place }
input Place { city: String street: String }
type Query { thing(of: Size): Thing named: Named shop: Shop shoe(wish: Wish): Shoe }
type Mutation { buy(wish: Wish!): Shoe }
""")
SCHEMA = build_ast_schema(SDL)
CASES = [
    ("{ shop { rating } }", {}),
    ("{ shop { shoes(first: 2, sizes: [S, M]) { name } } }", {}),
    ("{ shop { shoes(wish: {size: M, also: [{colour: \"a\"}, {at: {city: \"b\"}}]}) { size } } }", {}),
    ("{ thing { __typename ... on Coat { cuff(side: 2) } } }", {}),
    ("{ thing { ...f } } fragment f on Shoe { shop(near: 1) { ...g } } fragment g on Shop { rating }", {}),
    ("{ named { name ... on Shoe { size } } }", {}),
    ("query($w: Wish) { shoe(wish: $w) { name } }", {"w": {"size": "L", "also": [{"colour": "x"}], "at": {"street": "y"}}}),
    ("query($w: Wish) { shoe(wish: $w) { name } }", {"w": {}}),
    ("query($w: Wish) { shoe(wish: $w) { name } }", {}),
    ("query($s: Size = S) { thing(of: $s) { ... on Shoe { name } } }", {"s": "M"}),
    ("query($s: [Size!]) { shop { shoes(sizes: $s) { name } } }", {"s": ["S", "L"]}),
    ("query($s: [Size!]) { shop { shoes(sizes: $s) { name } } }", {"s": "S"}),
    ("mutation($c: String) { buy(wish: {colour: $c}) { name } }", {"c": "red"}),
]  # fmt: skip
MEMBERS = [at for at in definitions(SCHEMA) if "." in at and not at.startswith("Stage")]


class _Without(Visitor):
    def __init__(self, coordinate: str) -> None:
        super().__init__()
        self._coordinate = coordinate

    def enter(self, node: Node, _key: object, _parent: object, _path: object, ancestors: list[Any]) -> object:
        nodes: list[Any] = [one for one in [*ancestors, node] if isinstance(one, Node)]
        names = [one.name.value for one in nodes if getattr(one, "name", None)]
        kinds = ("field_definition", "input_value_definition", "enum_value_definition")
        at = ".".join(names[:2]) + (f"({names[2]}:)" if len(names) > 2 else "")
        return REMOVE if node.kind in kinds and at == self._coordinate else None


def fails(schema: GraphQLSchema, query: str, variables: dict[str, Any]) -> bool:
    """Whether the operation is refused before it runs."""
    document = parse(query)
    if validate(schema, document):
        return True
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return isinstance(get_variable_values(schema, operation.variable_definitions or (), variables), list)


def used(query: str, variables: dict[str, Any]) -> frozenset[str]:
    document = DocumentCache(SCHEMA).get(query)
    return usage_of(SCHEMA, document, document.operation(None)).given(variables)


WITHOUT = {at: build_ast_schema(visit(SDL, _Without(at)), assume_valid=True, assume_valid_sdl=True) for at in MEMBERS}


@pytest.mark.parametrize(("query", "variables"), CASES, ids=range(len(CASES)))
def test_an_operation_fails_without_what_it_uses_and_without_nothing_else(
    query: str, variables: dict[str, Any]
) -> None:
    assert not fails(SCHEMA, query, variables)
    found = used(query, variables)
    assert {at for at in MEMBERS if fails(WITHOUT[at], query, variables)} == {at for at in found if "." in at}


def test_types_count_where_they_are_named() -> None:
    assert {"Coat", "Shoe", "Wish", "Size"}.isdisjoint(used("{ thing { __typename } }", {}))
    assert "Coat" in used("{ thing { ... on Coat { name } } }", {})
    assert "Wish" in used("query($w: Wish) { shoe(wish: $w) { name } }", {})
    assert {"Wish", "Place"} <= used('{ shoe(wish: {at: {city: "a"}}) { name } }', {})


def test_values_that_fit_no_type_name_nothing() -> None:
    query = "query($w: Wish, $s: [Size!]) { shoe(wish: $w) { name } shop { shoes(sizes: $s) { name } } }"
    bare = used(query, {})
    for odd in ([1, {"at": "x"}], {"what": 1, "also": 7}, "text", None, 3):
        assert used(query, {"w": odd, "s": odd}) - bare <= {"Wish.at", "Wish.also", "Size.text"}
