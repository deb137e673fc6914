"""Documents are read once and kept, within bounds."""

import gc
import time
import tracemalloc
from typing import Any

import pytest
from graphql import GraphQLSchema, parse

from db.rules import Sight
from execution.documents import MOST_FIELDS, DocumentCache, InvalidDocument
from execution.engine import Engine, GraphQLRequest
from execution.variables import Variables
from schema.build import build_schema


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema()._schema


def test_layout_makes_no_new_document(schema: GraphQLSchema) -> None:
    cache = DocumentCache(schema)
    assert cache.get("{ me { id } }") is cache.get("{me{id}} # the same") is not cache.get("{ me { handle } }")


def test_memory_does_not_grow_with_distinct_documents(schema: GraphQLSchema) -> None:
    """The cache of a process that is sent ever new documents stays where it was."""
    cache = DocumentCache(schema, most=20, characters=2_000)
    sizes = []
    tracemalloc.start()
    for number in range(160):
        cache.get(f"{{ me {{ a{number}: id }} }}")
        if number in (79, 159):
            gc.collect()  # a parsed document refers to itself
            sizes.append(tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*graphql*")]))
    tracemalloc.stop()
    half, whole = (sum(stat.size for stat in snapshot.statistics("filename")) for snapshot in sizes)
    assert whole < half * 1.5
    assert len(cache._by_text) <= 20
    assert sum(map(len, cache._by_text)) <= 2_000


def test_what_is_kept_is_bounded_by_its_size(schema: GraphQLSchema) -> None:
    cache = DocumentCache(schema, most=1_000, characters=500)
    for number in range(20):
        cache.get(f"{{ me {{ {' '.join(f'a{number}_{n}: id' for n in range(10))} }} }}")
    assert sum(map(len, cache._by_text)) <= 500


def test_fragments_that_open_to_ever_more_are_refused_at_once(schema: GraphQLSchema) -> None:
    """Thirty small fragments would open to two to the thirtieth fields."""
    wide = [f"fragment F{n} on User {{ ...F{n + 1} ... on User {{ ...F{n + 1} }} }}" for n in range(30)]
    document = "{ me { ...F0 } } " + " ".join(wide) + " fragment F30 on User { id }"
    start = time.perf_counter()
    with pytest.raises(InvalidDocument, match=f"more than {MOST_FIELDS} fields"):
        DocumentCache(schema).get(document)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{ me { id }", "Syntax Error"),
        ("{ nobody }", "Cannot query field"),
        ("{ me { " + "storefronts { nodes { owner { " * 6 + "id" + " } } }" * 6 + " } }", "nested deeper"),
        ("{" * 3_000, "Syntax Error|nested too deeply"),
        ("{ me { id } } #" + "x" * 100_000, "longer than"),
        ("{ me { " + "id " * 6_000 + "} }", "token"),
    ],
)
def test_what_is_refused(schema: GraphQLSchema, document: str, message: str) -> None:
    with pytest.raises(InvalidDocument, match=message):
        DocumentCache(schema).get(document)


def test_plans_are_bounded(schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch) -> None:
    """One document with ever new shapes of variables."""
    monkeypatch.setattr("execution.engine.MOST_PLANS", 10)
    engine = Engine(schema, None, constants={"public_url": ""})  # type: ignore[arg-type] # nothing is run
    request = GraphQLRequest("query($n: Int) { products(first: $n) { nodes { id } } }", {})
    operation = engine.prepare(request)
    for number in range(1, 60):
        engine._prepared(operation, {"n": number}, Sight())  # type: ignore[arg-type] # it is an operation
    assert len(engine._kept) == 10


@pytest.mark.parametrize(
    ("declared", "given", "coerced"),
    [
        ("$a: ID!, $b: String", {"a": "x", "b": "y", "c": 1}, {"a": "x", "b": "y"}),
        ("$a: ID!", {"a": 5}, {"a": "5"}),
        ("$a: ID", {}, {}),
        ("$a: ID", {"a": None}, {"a": None}),
        ("$a: ID = \"z\"", {}, {"a": "z"}),
        ("$a: Boolean!", {"a": True}, {"a": True}),
        ("$a: Boolean!", {"a": 1}, None),
        ("$a: ID!", {}, None),
        ("$a: ID!", {"a": None}, None),
        ("$a: Int", {"a": 2**31}, None),
        ("$a: Int", {"a": 5.0}, {"a": 5}),
        ("$a: [ID!]!", {"a": "x"}, {"a": ["x"]}),
    ],
)  # fmt: skip
def test_variables_are_coerced(
    schema: GraphQLSchema, declared: str, given: dict[str, Any], coerced: dict[str, Any] | None
) -> None:
    node = parse(f"query({declared}) {{ me {{ id }} }}").definitions[0]
    found = Variables(schema, node).coerce(given)  # type: ignore[arg-type] # it is an operation
    assert found == coerced if coerced is not None else isinstance(found, list)
