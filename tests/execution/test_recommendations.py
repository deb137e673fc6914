"""The recommendations preview: planned answers are executed answers, for everyone who might look."""

from itertools import cycle

import pytest

from db.relations import PRODUCT_RECOMMENDATIONS, RECOMMENDED_PRODUCTS
from db.sessions import Database
from db.tables import Recommendation
from execution.engine import GraphQLRequest
from resolvers.platform import Platform
from schema.build import build_schema
from tests.execution.comparing import Comparer
from tests.execution.world import World

REASONS = cycle(["bought", "tried", "viewed", "similar"])
PAGE = "totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
ITEM = "__typename score reason explanation product { id title storefront { handle } variants { nodes { inStock } } }"
ASKED = [
    f"query($id: ID!) {{ product(id: $id) {{ recommendations(first: 3) {{ {PAGE} edges {{ cursor node {{ {ITEM} }} }} }} }} }}",
    f"query($id: ID!) {{ product(id: $id) {{ recommendations(last: 2) {{ {PAGE} nodes {{ {ITEM} }} }} }} }}",
    f"query($id: ID!) {{ recommendedProducts(basedOn: [$id]) {{ {PAGE} nodes {{ {ITEM} }} }} }}",
    f"query($ids: [ID!]!) {{ recommendedProducts(basedOn: $ids, first: 4) {{ {PAGE} edges {{ cursor }} nodes {{ {ITEM} }} }} }}",
    "query($ids: [ID!]!, $shop: ID) { recommendedProducts(basedOn: $ids, storefrontId: $shop) { totalCount nodes { score } } }",
    "query($ids: [ID!]!) { recommendedProducts(basedOn: $ids) { totalCount pageInfo { hasNextPage } } }",
]  # fmt: skip


@pytest.fixture(scope="module")
async def previewing(world_db: Database, world: World, platform: Platform) -> Comparer:
    """Both engines over the preview's schema; every product of the world is in the lists of some others."""
    products = world.ids("products")
    async with world_db.write() as session:
        for place, product in enumerate(products):
            for step in (1, 2, 3, 5, 8, 13):
                other = products[(place * 7 + step) % len(products)]
                if other != product:
                    points = 1 + (place * 37 + step * 101) % 999
                    row = Recommendation(product_id=product, other_id=other, points=points, reason=next(REASONS))
                    await session.merge(row)
    return Comparer(build_schema(frozenset({"recommendations"}))._schema, world_db, platform)


@pytest.mark.parametrize("query", ASKED)
async def test_one_statement_says_what_the_executor_says(previewing: Comparer, world: World, query: str) -> None:
    products, shops = world.ids("products"), world.ids("storefronts")
    shown = set()
    for name in ("owner", "other owner", "stranger", "reads all", "shops only", "narrowed", "narrowed to none"):
        for place in range(0, len(products), 9):
            variables = {"id": products[place], "ids": products[place : place + 16], "shop": shops[place % len(shops)]}
            outcome = await previewing.same(GraphQLRequest(query, variables), world.viewers[name])
            assert previewing.last == "planned"
            assert not outcome.errors
            shown.add(outcome.data)
    assert len(shown) > 2, "the world shows something to somebody"


async def test_what_a_token_may_not_read_is_refused_alike(previewing: Comparer, world: World) -> None:
    product = world.ids("products")[0]
    assert PRODUCT_RECOMMENDATIONS.scope == RECOMMENDED_PRODUCTS.scope == "storefronts:read"
    for query in ASKED[2:4]:
        request = GraphQLRequest(query, {"id": product, "ids": [product]})
        outcome = await previewing.same(request, world.viewers["without shops"])
        assert outcome.data in (b"null", None)
        assert "storefronts:read" in str(outcome.errors[0])


async def test_cursors_go_on_and_those_of_other_lists_are_refused(previewing: Comparer, world: World) -> None:
    query = """query($ids: [ID!]!, $after: String) { recommendedProducts(basedOn: $ids, first: 2, after: $after) {
      edges { cursor } pageInfo { hasNextPage } } }"""
    ids, everything = world.ids("products")[:8], world.viewers["reads all"]
    first = await previewing.same(GraphQLRequest(query, {"ids": ids}), everything)
    assert first.data is not None
    cursor = first.data.decode().split('"cursor":"')[2].split('"')[0]
    await previewing.same(GraphQLRequest(query, {"ids": ids, "after": cursor}), everything)
    assert previewing.last == "planned"
    for strange in (world.cursors[0], "x", ""):
        outcome = await previewing.same(GraphQLRequest(query, {"ids": ids, "after": strange}), everything)
        assert "cursor" in str(outcome.errors[0])
