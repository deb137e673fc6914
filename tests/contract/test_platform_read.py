"""`platform:read` reads everything, whatever scope a noun asks for, and changes nothing."""

import httpx
import pytest

from app.asgi import Parts
from tests.factories import Partner, make_partner

HOOK = {"url": "https://hooks.example.com/in", "events": ["order.created"]}


@pytest.fixture
async def reader(parts: Parts, open_client: httpx.AsyncClient) -> Partner:
    return await make_partner(parts, open_client, scopes="platform:read")


async def made(partner: Partner) -> dict[str, str]:
    """One of each noun whose only scope is one that writes."""
    product = await partner.product(await partner.storefront())
    asked = {
        "product_id": product["id"],
        "use_case": "product_page",
        "origin": "https://shop.example.com",
        "consent": True,
    }
    session = (await partner.call("POST", "/v1/tryon/sessions", 201, json=asked)).json()
    webhook = (await partner.call("POST", "/v1/webhooks", 201, json=HOOK)).json()
    return {"/v1/tryon/sessions": session["id"], "/v1/webhooks": webhook["id"]}


async def test_it_reads_what_asks_for_a_scope_that_writes(partner: Partner, reader: Partner) -> None:
    found = await made(partner)
    for path, one in found.items():
        assert (await reader.call("GET", f"{path}/{one}", 200)).json()["id"] == one
    await reader.call("GET", f"/v1/webhooks/{found['/v1/webhooks']}/deliveries", 200)
    data = await reader.data("query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", ids=list(found.values()))
    assert [node["__typename"] for node in data["nodes"]] == ["TryonSession", "Webhook"]


async def test_it_changes_nothing_and_sees_no_secret(partner: Partner, reader: Partner) -> None:
    one = f"/v1/webhooks/{(await made(partner))['/v1/webhooks']}"
    await reader.call("POST", "/v1/webhooks", 403, json=HOOK)
    await reader.call("PATCH", one, 403, json={"status": "paused"})
    await reader.call("DELETE", one, 403)
    await reader.call("GET", f"{one}/secret", 403)


async def test_it_opens_no_preview(reader: Partner) -> None:
    await reader.call("POST", "/graphql/preview", 403, json={"query": "{ events { totalCount } }"})
