"""Fields with resolvers of their own, of every kind, inside plans: the same answers, and not one execution a row."""

import asyncio
from functools import cache
from random import Random
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)

from db.relations import PRODUCT_STOREFRONT
from db.sessions import Database, statements_sent
from execution.engine import GraphQLRequest
from resolvers import reads
from resolvers.errors import Forbidden
from resolvers.platform import Platform
from schema.build import build_schema
from tests.execution.comparing import Comparer
from tests.execution.operations import Generator, Pool
from tests.execution.world import World

FLAT = GraphQLObjectType(
    "Flat", {"word": GraphQLField(GraphQLString, resolve=lambda root, _: root), "none": GraphQLField(GraphQLString)}
)


def loud(root: Any, _: Any, times: int = 1) -> str:
    """Non-null, from the row itself."""
    return "!" * times + str(root.sku)


async def slow(root: Any, _: Any) -> str | None:
    """Nullable, and null now and then."""
    await asyncio.sleep(0)
    return None if root.id[-1] in "24" else root.id


async def shop(root: Any, info: Any) -> Any:
    """A row by a loader; what is asked of it goes on as usual."""
    return await reads.one(info.context, PRODUCT_STOREFRONT, root)


def fails(root: Any, _: Any) -> str:
    """Fails for one row in three."""
    if int(root.id[-6:]) % 3 == 0:
        raise Forbidden("not this one")
    return "well"


@cache
def extended() -> GraphQLSchema:
    """A schema of its own, with computed fields on products, lines, links and the root."""
    schema: GraphQLSchema = build_schema.__wrapped__()._schema  # the kept one is everybody's
    types: Any = schema.type_map
    times = {"times": GraphQLArgument(GraphQLInt, default_value=2)}
    types["Product"].fields |= {
        "loud": GraphQLField(GraphQLNonNull(GraphQLString), args=times, resolve=loud),
        "slow": GraphQLField(GraphQLString, resolve=slow),
        "shop": GraphQLField(types["Storefront"], resolve=shop),
        "fails": GraphQLField(GraphQLString, resolve=fails),
        "flat": GraphQLField(FLAT, resolve=lambda root, _: root.sku),
    }
    types["AffiliateLink"].fields["mustNotFail"] = GraphQLField(GraphQLNonNull(GraphQLString), resolve=fails)
    types["OrderLine"].fields["loud"] = GraphQLField(GraphQLNonNull(GraphQLString), resolve=loud)
    types["Query"].fields |= {
        "hello": GraphQLField(GraphQLString, resolve=lambda *_: "hello\x01"),
        "broken": GraphQLField(GraphQLString, resolve=fails_at_once),
    }
    types["Flat"] = FLAT
    return schema


def fails_at_once(*_: Any) -> str:
    """A root field that fails."""
    raise Forbidden("not at all")


@pytest.fixture
def mixing(world_db: Database, platform: Platform) -> Comparer:
    """Both engines over the extended schema."""
    return Comparer(extended(), world_db, platform)


MIXED = [
    "{ products(first: 5) { nodes { id loud l: loud(times: 3) slow title } totalCount } hello }",
    "{ products(last: 3) { edges { cursor node { shop { handle products(first: 1) { nodes { loud } } } } } } }",
    "{ storefronts { nodes { products { nodes { flat { word none __typename } ... on Node { id } } } } } }",
    "{ orders { nodes { lines(first: 2) { nodes { sku loud } totalCount } } } }",
    "query($n: Int = 4) { me { id } products(first: 2) { nodes { ...F } } } fragment F on Product { loud(times: $n) slow }",
    "{ hello hello me { handle } again: hello broken }",
    "{ products(first: 0) { nodes { loud } } hello }",
    "{ product(id: \"prd_x\") { loud } me { id } }",
]  # fmt: skip


@pytest.mark.parametrize("query", MIXED)
async def test_computed_fields_stand_inside_plans(mixing: Comparer, world: World, query: str) -> None:
    for name in ("owner", "stranger", "reads all"):
        await mixing.same(GraphQLRequest(query, {}), world.viewers[name])
        assert mixing.last == ("executed bad_argument" if "first: 0" in query else "mixed")


async def test_an_error_inside_is_the_executors(mixing: Comparer, world: World) -> None:
    """Paths and nulls are its own: the whole operation is run again by it."""
    for field in ("products(first: 9) { nodes { fails id } }", "affiliateLinks { nodes { mustNotFail } }"):
        outcome = await mixing.same(GraphQLRequest(f"{{ {field} }}", {}), world.viewers["owner"])
        assert mixing.last == "executed computed_error"
        assert outcome.errors


async def test_statements_do_not_grow_with_rows(mixing: Comparer, world: World) -> None:
    counts = []
    for first in (2, 20):
        query = f"{{ products(first: {first}) {{ nodes {{ id loud slow shop {{ handle }} }} }} }}"
        request, viewer = GraphQLRequest(query, {}), world.viewers["reads all"]
        counter = [0]
        token = statements_sent.set(counter)
        await mixing.answer(mixing.planned, request, viewer)
        statements_sent.reset(token)
        counts.append(counter[0])
    assert counts[0] == counts[1] == 3  # the plan, the rows of its holes, their storefronts


@pytest.mark.filterwarnings(
    "ignore:coroutine '.*' was never awaited", "ignore::pytest.PytestUnraisableExceptionWarning"
)
async def test_generated_operations(mixing: Comparer, world: World, pytestconfig: pytest.Config) -> None:
    for seed in range(pytestconfig.getoption("--parity") // 3):
        made = Generator(mixing.schema, Pool(world), Random(seed)).make(1)
        if "fails" not in made.query and "mustNotFail" not in made.query:
            await mixing.seed(seed, world)
    assert mixing.ways["mixed"] > 0
    print(f"\nmixed: {mixing.report()}")  # noqa: T201
