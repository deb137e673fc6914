"""What operations cost before they run, and what a refusal advises."""

import re
from random import Random
from typing import Any

import orjson
import pytest
from graphql import get_named_type

from execution.engine import Engine, GraphQLRequest
from execution.errors import CostLimit
from execution.outcomes import Outcome
from tests.execution.comparing import Comparer
from tests.execution.operations import Generator, Pool
from tests.execution.world import World

COSTS = [
    ("{ me { id } }", 1),
    ("{ me { id handle } me { displayName } }", 1),
    ("{ __typename __schema { queryType { name } } }", 0),
    ("{ products { totalCount } }", 1),
    ("{ products { nodes { id } } }", 21),
    ("{ products(first: 5) { nodes { id price { amount } } } }", 11),
    ("{ products(last: 5) { edges { node { id } } } }", 11),
    ("{ products(first: 5) { pageInfo { endCursor } nodes { id } } }", 7),
    ("{ products(first: 5) @include(if: false) { nodes { id } } }", 0),
    ("{ storefronts(first: 10) { nodes { products(first: 10) { nodes { id } } } } }", 121),
    ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
    ('{ node(id: "x") { ... on Storefront { owner { id } } ... on Order { lines(first: 4) { nodes { sku } } } } }', 6),
    ("{ ...F ...F me { id } } fragment F on Query { products(first: 3) { nodes { id } } }", 5),
    ("query($first: Int = 7) { products(first: $first) { nodes { id } } }", 8),
]
DEEP = "{ storefronts(first: 100) { nodes { products(first: 100) { nodes { variants(first: 100) { nodes { sku } } } } } } }"


@pytest.mark.parametrize(("query", "points"), COSTS)
async def test_points(comparer: Comparer, world: World, query: str, points: int) -> None:
    assert (await comparer.same(GraphQLRequest(query, {}), world.viewers["owner"])).cost == points


@pytest.mark.parametrize(
    "query",
    [
        DEEP,
        "{ products(first: 100) { nodes { affiliateLinks(first: 100) { nodes { affiliate { id } } } } } }",
        """{ a: storefronts(first: 50) { nodes { products(first: 100) { nodes { price { amount } } } } }
             b: products(first: 90) { nodes { variants(first: 50) { nodes { product { id } } } } } }""",
        "query($n: Int = 100) { products(first: $n) { edges { node { variants(first: $n) { edges { node { id } } } } } } }",
    ],
)
async def test_a_refusal_names_a_page_size_that_passes(comparer: Comparer, world: World, query: str) -> None:
    """Replayed with the advice, the operation runs; with one more, it would not."""
    engine = Engine(comparer.schema, comparer.db, constants={"public_url": ""}, cost_limit=10_000)
    refused = await _refused(engine, comparer, world, query)
    size, path = refused.cost["suggestedPage"], refused.cost["path"]
    assert path in refused.message
    assert await _refused_or_none(engine, comparer, world, _mended(query, refused.message, path, size)) is None
    if size < 100 and "$n" not in query:
        assert await _refused_or_none(engine, comparer, world, _mended(query, refused.message, path, size + 1))


def _mended(query: str, message: str, path: str, size: int) -> str:
    """The query as its reader would change it."""
    if "in every list" in message or "$n" in query:
        return re.sub(r"(first: |Int = )\d+", rf"\g<1>{size}", query)
    head, name, rest = query.partition(f"{path.split('.')[-1]}")
    return head + name + re.sub(r"first: \d+", f"first: {size}", rest, count=1)


async def _refused_or_none(engine: Engine, comparer: Comparer, world: World, query: str) -> CostLimit | None:
    request, viewer = GraphQLRequest(query, {}), world.viewers["owner"]
    operation = engine.prepare(request)
    assert not isinstance(operation, Outcome)
    outcome = await engine.run(operation, request, viewer, lambda: comparer.context(viewer))
    return next((error for error in outcome.errors if isinstance(error, CostLimit)), None)


async def _refused(engine: Engine, comparer: Comparer, world: World, query: str) -> CostLimit:
    found = await _refused_or_none(engine, comparer, world, query)
    assert found is not None
    return found


async def test_no_answer_has_more_objects_than_were_counted(comparer: Comparer, world: World) -> None:
    fields = [field for kind in comparer.schema.type_map.values() for field in getattr(kind, "fields", {}).items()]
    json = {name for name, field in fields if get_named_type(field.type).name == "JSON"}
    for seed in range(60):
        made = Generator(comparer.schema, Pool(world), Random(seed)).make(1)
        request = GraphQLRequest(made.query, made.variables[0])
        if "__" in made.query or json & set(re.findall(r"\w+", made.query)):
            continue  # JSON has objects of its own
        if isinstance(comparer.planned.prepare(request), Outcome):
            continue
        outcome = await comparer.answer(comparer.planned, request, world.viewers["reads all"])
        assert outcome.cost is None or _objects(orjson.loads(outcome.data or b"null")) - 1 <= outcome.cost, seed


def _objects(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_objects, value.values()))
    return sum(map(_objects, value)) if isinstance(value, list) else 0
