"""A list or join of N rows costs a number of statements that does not depend on N, whichever way it is executed."""

from typing import Any

import httpx
import orjson
import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument

from app.asgi import Parts
from auth.viewer import Viewer
from db.sessions import statements_sent
from execution.engine import Engine, GraphQLRequest, Operation
from resolvers.context import new_context
from schema.build import build_schema
from tests.factories import Partner, make_partner, unique
from tests.in_step import InStep

SIZES, DEEPEST = (2, 9), 3
SCHEMA = build_schema()._schema
LISTS = [
    "/v1/storefronts?owner=me", "/v1/storefronts/{storefront}/products", "/v1/inventory?storefrontId={storefront}",
    "/v1/orders", "/v1/affiliates/links", "/v1/affiliates/report?group_by=product", "/v1/assets", "/v1/webhooks",
    "/v1/events", "/v1/products/{product}",
]  # fmt: skip


def fields_of(kind: GraphQLObjectType, depth: int) -> str:
    """Every field that can be asked for without arguments, down to this many joins."""
    parts = ["__typename"]
    for name, field in kind.fields.items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        found = get_named_type(field.type)
        if is_leaf_type(found):
            parts.append(name)
        elif isinstance(found, GraphQLObjectType):
            joins = "first" in field.args or "id" in found.fields
            if depth or not joins:
                parts.append(_joined(name, found, "first" in field.args, depth - joins))
    return " ".join(parts)


def _joined(name: str, found: GraphQLObjectType, is_list: bool, depth: int) -> str:
    if not is_list:
        return f"{name} {{ {fields_of(found, depth)} }}"
    node: Any = get_named_type(found.fields["nodes"].type)
    info = "pageInfo { hasNextPage endCursor }"
    return f"{name}(first: 10) {{ totalCount {info} nodes {{ {fields_of(node, depth)} }} }}"


ROOT: Any = SCHEMA.query_type
CONNECTIONS = [name for name, field in ROOT.fields.items() if "first" in field.args]


@pytest.fixture(scope="module")
async def owners(parts: Parts, open_client: httpx.AsyncClient) -> dict[int, tuple[Partner, dict[str, str]]]:
    """Partners who have this many of everything, everywhere."""
    return {size: await _grown(await make_partner(parts, open_client), size) for size in SIZES}


async def _grown(partner: Partner, size: int) -> tuple[Partner, dict[str, str]]:
    storefronts = [await partner.storefront() for _ in range(size)]
    first = storefronts[0]
    variants = [{"sku": unique("V-"), "inventory": 100, "options": {"size": str(n)}} for n in range(size)]
    products = [await partner.product(first, variants=variants if n == 0 else []) for n in range(size)]
    for place in range(size):
        lines = [{"sku": variant["sku"], "quantity": 1} for variant in variants]
        order = {"storefront_id": first["id"], "lines": lines, "external_ref": str(place)}
        await partner.call("POST", "/v1/orders", 201, json=order)
        link = {"product_id": products[0]["id"]}
        await partner.call("POST", "/v1/affiliates/links", 201, json=link)
        hook = {"url": f"https://example.com/{place}", "events": ["order.created"]}
        await partner.call("POST", "/v1/webhooks", 201, json=hook)
    return partner, {"storefront": first["id"], "product": products[0]["id"]}


def rows_in(value: Any) -> int:
    """How many rows an answer holds, for the test to know that the sizes made a difference."""
    if isinstance(value, dict):
        return ("id" in value) + sum(map(rows_in, value.values()))
    return sum(map(rows_in, value)) if isinstance(value, list) else 0


@pytest.mark.parametrize("plans", [True, False], ids=["planned", "executed"])
@pytest.mark.parametrize("name", CONNECTIONS)
async def test_every_connection_to_depth_three(owners: Any, parts: Parts, name: str, plans: bool) -> None:
    engine = Engine(
        SCHEMA, parts.db, constants={"public_url": parts.platform.public_url}, plans=plans, cost_limit=10**12
    )  # fmt: skip
    target: Any = get_named_type(ROOT.fields[name].type)
    node: Any = get_named_type(target.fields["nodes"].type)
    mine = "ownerId" in SCHEMA.type_map.get("StorefrontFilter").fields and name in ("storefronts", "products")  # type: ignore[union-attr]
    counts, rows = {}, {}
    for size, (partner, ids) in owners.items():
        chosen = {
            "storefronts": f'{{ownerId: "{partner.user_id}"}}',
            "products": f'{{storefrontId: "{ids["storefront"]}"}}',
        }
        narrowed = f", filter: {chosen[name]}" if mine else ""
        fields = fields_of(node, DEEPEST - 1)
        query = f"{{ {name}(first: 10{narrowed}) {{ totalCount nodes {{ {fields} }} }} }}"
        counts[size], answer = await _counted(engine, parts, partner, query)
        rows[size] = rows_in(answer)
    assert counts[SIZES[0]] == counts[SIZES[1]]
    assert counts[SIZES[0]] > 0
    if name != "assets":
        assert rows[SIZES[0]] < rows[SIZES[1]]


async def _counted(engine: Engine, parts: Parts, partner: Partner, query: str) -> tuple[int, Any]:
    scopes = frozenset((await partner.call("GET", "/v1/me", 200)).json()["scopes"])
    viewer = Viewer(partner.user_id, partner.client_id, partner.organization_id, scopes)
    request = GraphQLRequest(query, {})
    operation = engine.prepare(request)
    assert isinstance(operation, Operation), operation
    counter = [0]
    token = statements_sent.set(counter)
    try:
        outcome = await engine.run(
            operation, request, viewer, lambda: new_context(viewer, InStep(parts.db), parts.platform)
        )
    finally:
        statements_sent.reset(token)
    assert not outcome.errors, outcome.errors
    return counter[0], orjson.loads(outcome.data or b"null")


@pytest.mark.parametrize("path", LISTS)
async def test_every_rest_list(owners: Any, app: Any, path: str) -> None:
    counts = []
    for partner, ids in owners.values():
        counter = _Counter(app)
        transport = httpx.ASGITransport(counter)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver.example") as client:
            headers = {"authorization": f"Bearer {partner.token}"}
            for _ in range(2):  # the first call may still be learning who asks
                answer = await client.get(path.format(**ids), headers=headers)
                assert answer.status_code == 200, answer.text
        counts.append(counter.seen[-1])
    assert counts[0] == counts[1] > 0


class _Counter:
    """Looks at the count that the application's own log line would tell."""

    def __init__(self, app: Any) -> None:
        self._app, self.seen = app, list[int]()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def watch(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.seen.append((statements_sent.get() or [0])[0])
            await send(message)

        await self._app(scope, receive, watch)
