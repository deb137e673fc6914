"""What partners ask most is one statement, and cases that a generator meets too rarely to rely on."""

import pytest

from execution.engine import GraphQLRequest
from execution.outcomes import Outcome
from tests.execution.comparing import Comparer
from tests.execution.world import World

PAGE = "totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
PLANNED = [
    "{ me { id handle displayName twinActive __typename } }",
    "query($id: ID!) { storefront(id: $id) { id productsCount owner { handle } settings { currency } metadata } }",
    f"query($id: ID!) {{ storefront(id: $id) {{ products(first: 2, sort: PRICE_DESC) {{ {PAGE} edges {{ cursor node {{ id }} }} }} }} }}",
    f"query($id: ID!) {{ storefront(id: $id) {{ products(last: 2) {{ {PAGE} nodes {{ id sku }} }} }} }}",
    """query($id: ID!) { storefront(id: $id) { products { nodes { price { amount } totalInventory media { url alt } metadata
       variants { nodes { options { value name } inStock inventory { available reserved updatedAt } product { id } } }
       affiliateLinks { nodes { url conversionRate revenue { amount } product { id } affiliate { handle } } } } } } }""",
    "query($id: ID!) { node(id: $id) { __typename id ... on Storefront { name } ... on Product { title } } }",
    'query($id: ID!) { nodes(ids: [$id, "prd_x", $id]) { id } }',
    '{ nodes(ids: "prd_x") { id } }',
    "query($id: [ID!]!) { nodes(ids: $id) { id } }",
    "query($first: Int, $after: String) { storefronts(first: $first, after: $after) { nodes { handle } totalCount } }",
    "query($filter: ProductFilter) { products(filter: $filter) { nodes { id } totalCount } }",
    'query($status: ProductStatus) { products(filter: {status: $status, sku: null}, first: null) { nodes { id } } }',
    "query($unset: Boolean! = true) { me { id @include(if: $unset) ...F ...F ... on Node { ...F } } } fragment F on User { handle }",
    "{ orders(last: 3) { edges { node { lines(first: 1) { nodes { variant { sku } } } } } } }",
    '{ product(id: "") { id } storefront(handle: "@nobody") { id } node(id: "org_x") { id } }',
    "{ __typename }",
]  # fmt: skip


@pytest.mark.parametrize("query", PLANNED)
async def test_one_statement_says_what_the_executor_says(comparer: Comparer, world: World, query: str) -> None:
    for name in ("owner", "stranger", "reads all"):
        for shop in world.ids("storefronts")[::3]:
            outcome = await comparer.same(GraphQLRequest(query, {"id": shop}), world.viewers[name])
            assert comparer.last == "planned"
            assert not outcome.errors


async def test_a_plan_for_one_value_is_not_used_for_another_kind(comparer: Comparer, world: World) -> None:
    """Values that change the text: none, empty, of another prefix, null, absent."""
    query = "query($id: ID, $handle: String) { storefront(id: $id, handle: $handle) { id } }"
    shop = world.rows["storefronts"][0]
    for variables in (
        {"id": shop.id}, {"id": ""}, {"handle": ""}, {"handle": shop.handle}, {"id": shop.id, "handle": ""},
        {"id": shop.id, "handle": None}, {"id": "prd_x"}, {"id": None}, {}, {"id": shop.id, "handle": shop.handle},
    ):  # fmt: skip
        await comparer.same(GraphQLRequest(query, variables), world.viewers["owner"])


async def test_a_number_past_32_bits_is_the_executors_error(comparer: Comparer, world: World) -> None:
    """An Int has 32 bits (spec section 3.5.1)."""
    link = next(row for row in world.rows["affiliate_links"] if row.clicks > 2**31)
    request = GraphQLRequest("query($id: ID!) { node(id: $id) { ... on AffiliateLink { clicks } } }", {"id": link.id})
    outcome = await comparer.same(request, world.viewers["reads all"])
    assert comparer.last == "executed at_run_time"
    assert outcome.errors[0].path == ["node", "clicks"]  # type: ignore[attr-defined] # a GraphQLError


NAMED = "query A { me { id } } query B { me { handle } } mutation C { __typename }"


@pytest.mark.parametrize(
    ("name", "runs"), [("A", True), ("B", True), ("C", True), (None, False), ("D", False), ("", False)]
)
async def test_the_operations_name_chooses(comparer: Comparer, world: World, name: str | None, *, runs: bool) -> None:
    outcome = await comparer.same(GraphQLRequest(NAMED, {}, name), world.viewers["owner"])
    assert (not outcome.errors) == runs
    assert comparer.last == ("" if not runs else "executed mutation" if name == "C" else "planned")


async def test_an_empty_operation_name_is_none(comparer: Comparer, world: World) -> None:
    for query in ("query A { me { id } }", "mutation A { __typename }"):
        assert not (await comparer.same(GraphQLRequest(query, {}, ""), world.viewers["owner"])).errors


async def test_a_subscription_is_refused(comparer: Comparer) -> None:
    refused = comparer.planned.prepare(GraphQLRequest("subscription { me { id } }", {}))
    assert isinstance(refused, Outcome)
    assert refused.data is None


async def test_a_wide_document_is_answered(comparer: Comparer, world: World) -> None:
    """Some thousand keys in one object: PostgreSQL's own limits must not show."""
    keys = " ".join(f"k{n}: handle l{n}: displayName" for n in range(700))
    outcome = await comparer.same(GraphQLRequest(f"{{ me {{ {keys} }} }}", {}), world.viewers["owner"])
    assert not outcome.errors


async def test_introspection_runs_beside_a_plan(comparer: Comparer, world: World) -> None:
    query = '{ me { id } __type(name: "Order") { name } __schema { queryType { name } } again: me { handle } }'
    await comparer.same(GraphQLRequest(query, {}), world.viewers["owner"])
    assert comparer.last == "mixed"
