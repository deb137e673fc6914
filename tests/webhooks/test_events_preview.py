"""The events preview: the same log as REST's, over GraphQL, planned and executed alike."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.asgi import build_app
from schema.events import PAYLOADS, EventType
from tests.factories import make_partner
from tests.webhooks.partners import eventually
from webhooks.events import CATALOGUE, OPERATIONAL

LOG = """
query($types: [EventType!], $since: DateTime, $after: String, $first: Int) {
  events(types: $types, since: $since, after: $after, first: $first) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes { id type occurredAt resourceId sequence }
  }
}
"""
PAYLOAD = """
{ events { nodes { type payload { __typename
  ... on EventData { snapshot } ... on ProductUpdatedEvent { product { id title } } } } } }
"""


async def ask(partner, query, **variables):
    body = {"query": query, "variables": variables}
    answer = (await partner.call("POST", "/graphql/preview", 200, json=body)).json()
    assert "errors" not in answer, answer["errors"]
    return answer["data"]["events"]


@pytest.fixture
async def told(partner, other, database, a_worker):
    """A partner of whom five products are told, and another of whom one is."""
    async with a_worker(database):
        storefront = await partner.storefront()
        products = [await partner.product(storefront) for _ in range(5)]
        await other.product(await other.storefront())

        async def all_told():
            return (await ask(partner, LOG))["totalCount"] == 5 and (await ask(other, LOG))["totalCount"] == 1

        await eventually(all_told)
    return partner, products


def test_every_type_has_a_value_and_a_payload():
    assert {kind.value for kind in EventType} == {*CATALOGUE, *OPERATIONAL} == set(PAYLOADS)


async def test_the_log_is_read_on_from_any_cursor(told):
    partner, products = told
    first = await ask(partner, LOG, first=3)
    rest = await ask(partner, LOG, first=3, after=first["pageInfo"]["endCursor"])
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert [one["resourceId"] for one in first["nodes"] + rest["nodes"]] == [one["id"] for one in products]
    nothing = await ask(partner, LOG, after=rest["pageInfo"]["endCursor"])
    assert (nothing["nodes"], nothing["totalCount"]) == ([], 5)
    of_rest = (await partner.call("GET", "/v1/events", 200)).json()["data"]
    shown = (await ask(partner, LOG))["nodes"]
    assert [(one["id"], one["occurredAt"], one["sequence"]) for one in shown] == [
        (one["id"], one["occurred_at"], one["resource"]["sequence"]) for one in of_rest
    ]


async def test_types_and_times_narrow_it(told):
    partner, _ = told
    assert len((await ask(partner, LOG, types=["PRODUCT_UPDATED"]))["nodes"]) == 5
    assert (
        len((await ask(partner, "{ events(types: [PRODUCT_UPDATED, ORDER_CREATED]) { nodes { id } } }"))["nodes"]) == 5
    )
    nothing: dict[str, Any]
    for nothing in ({"types": ["ORDER_CREATED"]}, {"types": []}, {"since": "2099-01-01T00:00:00Z"}):
        answer = await ask(partner, LOG, **nothing)
        assert (answer["nodes"], answer["totalCount"]) == ([], 0), nothing
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert (await ask(partner, LOG, since=hour_ago))["totalCount"] == 5


async def test_payloads_are_typed_and_lead_to_what_is_there_now(told):
    partner, products = told
    await partner.call("DELETE", f"/v1/products/{products[0]['id']}", 204)
    nodes = (await ask(partner, PAYLOAD))["nodes"]
    assert {node["payload"]["__typename"] for node in nodes} == {"ProductUpdatedEvent"}
    assert [node["payload"]["product"]["id"] for node in nodes[:5]] == [one["id"] for one in products]
    assert [node["payload"]["snapshot"]["sku"] for node in nodes[:5]] == [one["sku"] for one in products]


async def test_a_payload_needs_the_scope_of_its_noun(told, api):
    partner, _ = told
    secret = {"client_id": partner.client_id, "client_secret": partner.client_secret, "scope": "preview:events"}
    answer = await api[1].post("/oauth/token", json={"grant_type": "client_credentials", **secret})
    bearer = {"authorization": f"Bearer {answer.json()['access_token']}"}
    answered = await partner.http.post("/graphql/preview", json={"query": PAYLOAD}, headers=bearer)
    found = answered.json()
    assert {error["extensions"]["requiredScope"] for error in found["errors"]} == {"storefronts:read"}
    assert {node["payload"] for node in found["data"]["events"]["nodes"]} == {None}


async def test_who_may_read_everything_reads_one_log(told, api):
    reader = await make_partner(*api, scopes="platform:read preview:events")
    assert (await ask(reader, LOG))["totalCount"] == 0


async def test_the_plan_says_what_the_executor_says_and_is_used(told, api):
    partner, _ = told
    parts, _ = api
    ran = parts.metrics._executions
    plain = httpx.ASGITransport(build_app(replace(parts, plans=False)))
    headers = {"authorization": f"Bearer {partner.token}"}
    async with httpx.AsyncClient(transport=plain, base_url="http://testserver.example", headers=headers) as executed:
        for variables in ({}, {"first": 2}, {"types": ["PRODUCT_UPDATED"], "since": "2026-01-01T00:00:00Z"}):
            body = {"query": LOG, "variables": variables}
            one = await executed.post("/graphql/preview", json=body)
            before = ran["planned", ""]
            two = await partner.call("POST", "/graphql/preview", 200, json=body)
            assert one.json()["data"] == two.json()["data"]
            assert ran["planned", ""] == before + 1
