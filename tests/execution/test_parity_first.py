# ruff: noqa: E501
# mypy: ignore-errors
"""Planned answers and executed answers are the same bytes."""

import orjson
import pytest

from auth.viewer import Viewer
from execution.engine import Engine, GraphQLRequest
from resolvers.context import new_context
from schema.build import build_schema

QUERIES = [
    "{me{id handle displayName twinActive __typename}}",
    "query($id:ID!){storefront(id:$id){id handle name description status productsCount owner{id handle} settings{currency locale visibility} metadata createdAt updatedAt}}",
    "query($id:ID!){s:storefront(id:$id){products(first:2,sort:PRICE_DESC){totalCount pageInfo{hasNextPage hasPreviousPage startCursor endCursor} edges{cursor node{id title}}}}}",
    "query($id:ID!){s:storefront(id:$id){products(last:2){totalCount pageInfo{hasNextPage hasPreviousPage startCursor endCursor} nodes{id sku}}}}",
    "query($id:ID!){s:storefront(id:$id){products{nodes{id sku title description status visibility price{currency amount} category totalInventory media{url alt} metadata variants{nodes{id sku options{value name} price{amount} inStock inventory{available reserved updatedAt} product{id}}} affiliateLinks{nodes{code url clicks conversionRate revenue{amount} product{id} affiliate{handle}}} storefront{id}}}}}",
    "query($id:ID!){node(id:$id){__typename id ... on Storefront{name} ... on Product{title}}}",
    'query($id:ID!){nodes(ids:[$id,"prd_x",$id]){id}}',
    "{storefronts(first:3){nodes{id handle owner{handle}} totalCount}}",
]


@pytest.fixture(scope="module")
def engines(parts):
    schema = build_schema()._schema
    made = {}
    for plans in (True, False):
        counted: list = []
        made[plans] = (
            Engine(
                schema,
                parts.db,
                constants={"public_url": parts.platform.public_url},
                plans=plans,
                count=lambda how, reason, c=counted: c.append((how, reason)),
            ),
            counted,
        )
    return made


@pytest.mark.parametrize("query", QUERIES)
async def test_same(engines, parts, partner, query):
    shop = await partner.storefront(metadata={"a": [1, 2.5, 'ü\n"x"']})
    for n in range(4):
        await partner.product(
            shop,
            title=f'T"{n}\u2028',
            price={"amount": str(10 + n), "currency": "EUR"},
            media=[{"url": "https://x.example/a.jpg", "alt": "a\tb"}],
            variants=[
                {"sku": f"{shop['id']}-{n}-{k}", "options": {"size": "M", "colour": 'b"lue'}, "inventory": k}
                for k in range(2)
            ],
        )
    viewer = Viewer(
        partner.user_id,
        partner.client_id,
        partner.organization_id,
        frozenset({"profile:read", "storefronts:read", "inventory:read", "affiliates:read"}),
    )
    answers = []
    for plans in (True, False):
        engine, counted = engines[plans]
        request = GraphQLRequest(query, {"id": shop["id"]})
        operation = engine.prepare(request)
        assert not hasattr(operation, "errors"), operation.errors
        outcome = await engine.run(operation, request, viewer, lambda: new_context(viewer, parts.db, parts.platform))
        assert not outcome.errors, outcome.errors
        answers.append(outcome.data)
        how = counted.pop()
        assert how[0] == ("planned" if plans else "executed"), how
    assert answers[0].decode() == answers[1].decode()
    assert orjson.loads(answers[0])
