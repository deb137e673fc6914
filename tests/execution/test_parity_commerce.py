"""Orders, links and conversions: planned answers and executed answers are the same bytes."""

from collections.abc import Callable
from typing import Any

import pytest

from app.asgi import Parts
from auth.viewer import Viewer
from execution.engine import Engine, GraphQLRequest, Operation
from resolvers.context import new_context
from schema.build import build_schema
from tests.factories import Partner
from tests.rest_facade.test_affiliates import clicked, make_link
from tests.rest_facade.test_orders import lines, place, price, shop
from tests.schema.test_affiliates import CONVERSION, LINK
from tests.schema.test_orders import ORDER

QUERIES = [
    f"query($order: ID!) {{ order(id: $order) {ORDER} }}",
    f"query($order: ID!) {{ node(id: $order) {{ __typename ... on Order {ORDER} }} }}",
    f"{{ orders(last: 2, filter: {{status: CREATED}}) {{ totalCount edges {{ cursor node {ORDER} }} }} }}",
    "{ orders { nodes { lines(first: 1) { edges { cursor node { sku } } pageInfo { hasNextPage startCursor endCursor } } } } }",
    "query($after: String!) { orders { nodes { lines(after: $after) { nodes { quantity } pageInfo { hasPreviousPage } } } } }",
    f"{{ affiliateLinks {{ totalCount nodes {LINK} }} }}",
    f"query($conversion: ID!) {{ node(id: $conversion) {{ __typename ... on AffiliateConversion {CONVERSION} }} }}",
    "query($order: ID!, $conversion: ID!) { nodes(ids: [$order, $conversion]) { __typename id } }",
]


@pytest.fixture(scope="module")
def engines(parts: Parts) -> list[tuple[Engine, list[str]]]:
    """The engine with plans, and without; each with how it answered."""
    made = []
    for plans in (True, False):
        how: list[str] = []
        engine = Engine(
            build_schema()._schema, parts.db, constants={"public_url": parts.platform.public_url}, plans=plans,
            count=_noting(how),
        )  # fmt: skip
        made.append((engine, how))
    return made


def _noting(how: list[str]) -> Callable[[str, str], None]:
    return lambda kind, _: how.append(kind)


async def ids_of_a_sale(partner: Partner, open_client: Any) -> dict[str, str]:
    """Two orders, one of them by a click on a link of the partner's own, and the conversion that came of it."""
    storefront, product = await shop(partner, 9, 9)
    link = await make_link(partner, product_id=product["id"], metadata={"a": ['"ü\u2028', 1.5]})
    click = await clicked(open_client, link)
    await place(partner, storefront, lines(product, 2, 1))
    order = (await place(partner, storefront, lines(product, 1, 3), click_id=click, external_ref='a"b')).json()
    body = {"link_id": link["id"], "order_ref": order["id"], "amount": price("1.00")}
    sale = (await partner.call("POST", "/v1/affiliates/conversions", 200, json=body)).json()
    found = await partner.data(
        "query($id: ID!) { order(id: $id) { lines { pageInfo { startCursor } } } }", id=order["id"]
    )
    after = found["order"]["lines"]["pageInfo"]["startCursor"]
    return {"order": order["id"], "conversion": sale["id"], "after": after}


@pytest.mark.parametrize("query", QUERIES)
async def test_both_ways_answer_the_same_bytes(engines, parts: Parts, partner: Partner, open_client, query: str):
    variables = await ids_of_a_sale(partner, open_client)
    scopes = frozenset({"storefronts:read", "inventory:read", "orders:read", "affiliates:read"})
    viewer = Viewer(partner.user_id, partner.client_id, partner.organization_id, scopes)
    answers = []
    for engine, _ in engines:
        request = GraphQLRequest(query, variables)
        operation = engine.prepare(request)
        assert isinstance(operation, Operation), operation
        answers.append(
            await engine.run(operation, request, viewer, lambda: new_context(viewer, parts.db, parts.platform))
        )
    assert [how.pop() for _, how in engines] == ["planned", "executed"]
    planned, executed = answers
    assert not planned.errors, planned.errors
    assert planned.data == executed.data
