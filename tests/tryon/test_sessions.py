"""Try-on sessions from outside: who may open one, what it says, the same over GraphQL."""

import asyncio
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from app.asgi import Parts, build_app
from db.ids import new_id
from resolvers.errors import Invalid, NotFound
from resolvers.tryon_approvals import approve
from tests.factories import Partner, make_partner

URL = "/v1/tryon/sessions"


@pytest.fixture
async def product(partner: Partner) -> dict[str, Any]:
    """A product of the first partner, which everyone sees."""
    return await partner.product(await partner.storefront(), title="Chore jacket")


def asked(product: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"product_id": product["id"], "use_case": "product_page", "origin": "https://shop.example", "consent": True}
    return {name: value for name, value in (body | more).items() if value is not None}


async def test_a_session_is_opened_and_read_by_its_own_partner(
    partner: Partner, other: Partner, product: dict[str, Any]
) -> None:
    variant = product["variants"][0]["id"]
    more = {"variant_id": variant, "subject": "shopper-7", "ttl_seconds": 60}
    answer = await other.call("POST", URL, 201, json=asked(product, **more))
    body = answer.json()
    assert answer.headers["location"] == f"{URL}/{body['id']}"
    assert answer.headers["cache-control"] == "no-store"
    assert body["url"].endswith(f"/tryon/{body['token']}")
    assert body == body | more_told(product, variant)
    age = datetime.fromisoformat(body["expires_at"]) - datetime.fromisoformat(body["created_at"])
    assert timedelta(seconds=59) <= age <= timedelta(seconds=60)
    read = (await other.call("GET", f"{URL}/{body['id']}", 200)).json()
    assert read == {name: value for name, value in body.items() if name not in ("token", "url")}
    await partner.call("GET", f"{URL}/{body['id']}", 404)


def more_told(product: dict[str, Any], variant: str) -> dict[str, Any]:
    told = {"status": "created", "product_id": product["id"], "variant_id": variant, "subject": "shopper-7"}
    return told | {"use_case": "product_page", "origin": "https://shop.example"}


async def test_both_sides_are_told_and_the_shoppers_name_is_not(
    parts: Parts, partner: Partner, other: Partner, product: dict[str, Any]
) -> None:
    body = (await other.call("POST", URL, 201, json=asked(product, subject="shopper-7"))).json()
    events = await parts.db.fetch(
        "select type, audience, storefront_id, payload from events where resource_id = $1", [body["id"]]
    )
    assert [event["type"] for event in events] == ["tryon.session.created"]
    assert set(events[0]["audience"]) == {other.user_id, partner.user_id}
    assert events[0]["storefront_id"] == product["storefront_id"]
    told = {name: value for name, value in body.items() if name not in ("token", "url")}
    assert events[0]["payload"] == told | {"subject": None}


async def test_the_token_is_stored_nowhere(parts: Parts, other: Partner, product: dict[str, Any]) -> None:
    key = {"idempotency-key": new_id("key")}
    first = await other.call("POST", URL, 201, json=asked(product), headers=key)
    again = await other.call("POST", URL, 201, json=asked(product), headers=key)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    token = first.json()["token"]
    for table in ("tryon_sessions", "idempotency_keys", "events"):
        found = await parts.db.fetch_value(f"select count(*) from {table} t where position($1 in t::text) > 0", [token])
        assert found == 0


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"consent": False}, "/consent"),
        ({"consent": None}, "/consent"),
        ({"consent": "true"}, "/consent"),
        ({"ttl_seconds": 59}, "/ttl_seconds"),
        ({"ttl_seconds": 3601}, "/ttl_seconds"),
        ({"ttl_seconds": 10**30}, "/ttl_seconds"),
        ({"use_case": "Product Page"}, "/use_case"),
        ({"subject": "a\0b"}, "/subject"),
        ({"variant_id": new_id("var")}, "/variant_id"),
        ({"product_id": new_id("prd")}, "/product_id"),
        ({"product_id": "prd_1"}, "/product_id"),
        ({"colour": "red"}, "/colour"),
        *(
            ({"origin": origin}, "/origin")
            for origin in (
                "http://shop.example", "https://shop.example/", "https://shop.example/page", "https://*.example",
                "https://shop.example?x", "https://a@shop.example", "shop.example", "ftp://shop.example", "null",
                "https://shop.example; script-src *", "https://shop.example:0", "https://shop.example:99999",
                "https://[zz]", "http://127.0.0.1.example", "http://10.0.0.1", "https://", "https://a..b",
                "https://shop.example\n",
            )
        ),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named(
    other: Partner, product: dict[str, Any], more: dict[str, Any], pointer: str
) -> None:
    answer = await other.call("POST", URL, 422, json=asked(product, **more))
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("origin", "kept"),
    [
        ("HTTPS://Shop.Example:8443", "https://shop.example:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
async def test_sites_that_may_ask(other: Partner, product: dict[str, Any], origin: str, kept: str) -> None:
    body = (await other.call("POST", URL, 201, json=asked(product, origin=origin))).json()
    assert body["origin"] == kept


async def test_anothers_variant_and_hidden_products_are_refused(
    partner: Partner, other: Partner, product: dict[str, Any]
) -> None:
    shop = await partner.storefront()
    draft, second = await partner.product(shop, status="draft"), await partner.product(shop)
    refused = await other.call("POST", URL, 422, json=asked(draft))
    assert refused.json()["errors"][0]["pointer"] == "/product_id"
    await partner.call("POST", URL, 201, json=asked(draft))
    strange = asked(product, variant_id=second["variants"][0]["id"])
    assert (await other.call("POST", URL, 422, json=strange)).json()["errors"][0]["pointer"] == "/variant_id"


async def test_other_use_cases_wait_for_the_operator(
    parts: Parts, partner: Partner, other: Partner, product: dict[str, Any]
) -> None:
    body = asked(product, use_case="fitting_room")
    refused = await other.call("POST", URL, 403, json=body)
    assert refused.json()["code"] == "use_case_not_approved"
    assert await approve(parts.db, organization_id=other.organization_id, use_case="fitting_room")
    assert not await approve(parts.db, organization_id=other.organization_id, use_case="fitting_room")
    await other.call("POST", URL, 201, json=body)
    await partner.call("POST", URL, 403, json=body)
    with pytest.raises(NotFound):
        await approve(parts.db, organization_id=new_id("org"), use_case="fitting_room")
    with pytest.raises(Invalid):
        await approve(parts.db, organization_id=other.organization_id, use_case="Fitting room")


async def test_the_scope_is_asked_for(
    parts: Parts, open_client: httpx.AsyncClient, partner: Partner, product: dict[str, Any]
) -> None:
    reader = await make_partner(parts, open_client, scopes="storefronts:read")
    id_ = (await partner.call("POST", URL, 201, json=asked(product))).json()["id"]
    for answer in (await reader.call("POST", URL, 403, json=asked(product)), await reader.call("GET", f"{URL}/{id_}")):
        assert (answer.status_code, answer.json()["required_scope"]) == (403, "tryon:write")


CREATE = """mutation($input: TryonSessionCreateInput!) { tryonSessionCreate(input: $input) {
  token url userErrors { field code } tryonSession { id status useCase origin subject createdAt expiresAt productId
  variantId product { id title } variant { id } } } }"""
READ = """query($id: ID!) { tryonSession(id: $id) { id status useCase origin subject createdAt expiresAt productId variantId }
  node(id: $id) { __typename id } }"""


def camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


async def test_graphql_tells_and_does_the_same(other: Partner, partner: Partner, product: dict[str, Any]) -> None:
    given = {camel(name): value for name, value in asked(product, variant_id=product["variants"][0]["id"]).items()}
    made = (await other.data(CREATE, input=given))["tryonSessionCreate"]
    session = made["tryonSession"]
    assert (made["userErrors"], made["url"].endswith(made["token"])) == ([], True)
    assert session["product"] == {"id": product["id"], "title": "Chore jacket"}
    assert session["variant"] == {"id": product["variants"][0]["id"]}
    rest = (await other.call("GET", f"{URL}/{session['id']}", 200)).json()
    told = await other.data(READ, id=session["id"])
    assert told["node"] == {"__typename": "TryonSession", "id": session["id"]}
    assert told["tryonSession"] | {"status": "created"} == {camel(name): value for name, value in rest.items()}
    assert await partner.data(READ, id=session["id"]) == {"tryonSession": None, "node": None}


async def test_graphql_names_what_is_wrong(other: Partner, product: dict[str, Any]) -> None:
    given = {camel(name): value for name, value in asked(product, consent=False).items()}
    made = (await other.data(CREATE, input=given))["tryonSessionCreate"]
    assert (made["tryonSession"], made["token"]) == (None, None)
    assert [error["field"] for error in made["userErrors"]] == [["consent"]]


async def test_a_key_of_rest_is_honoured_over_graphql(other: Partner, product: dict[str, Any]) -> None:
    key = {"idempotency-key": new_id("key")}
    body = (await other.call("POST", URL, 201, json=asked(product), headers=key)).json()
    given = {camel(name): value for name, value in asked(product).items()}
    answers = await asyncio.gather(*(other.graphql(CREATE, headers=key, input=given) for _ in range(2)))
    made = [answer["data"]["tryonSessionCreate"] for answer in answers]
    done = [item for item in made if item["token"]]
    assert done
    assert all(item["token"] == body["token"] for item in done)


async def test_production_asks_for_approval_and_https_always(
    parts: Parts, partner: Partner, product: dict[str, Any]
) -> None:
    production = replace(parts, platform=replace(parts.platform, environment="production"))
    transport = httpx.ASGITransport(build_app(production))
    async with httpx.AsyncClient(
        transport=transport, headers=partner.http.headers, base_url=partner.http.base_url
    ) as http:
        refused = await http.post(URL, json=asked(product))
        assert (refused.status_code, refused.json()["code"]) == (403, "use_case_not_approved")
        await approve(parts.db, organization_id=partner.organization_id, use_case="product_page")
        assert (await http.post(URL, json=asked(product))).status_code == 201
        loopback = await http.post(URL, json=asked(product, origin="http://localhost:3000"))
        assert loopback.json()["errors"][0]["pointer"] == "/origin"
