"""A receiver that knows nothing but the id of its webhook verifies what comes, by the keys published for it."""

import asyncio
from base64 import b64decode, urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from tests.webhooks.receivers import receiving

PUBLIC = {"kty", "crv", "x", "kid", "use", "alg"}


@pytest.fixture(scope="module")
def is_signed():
    """The function that docs/webhooks.md gives to receivers."""
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    found: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], found)
    return found["is_signed"]


@pytest.fixture
async def made(partner):
    body = {"url": "https://example.com/", "events": ["order.created"]}
    return (await partner.call("POST", "/v1/webhooks", 201, json=body)).json()


async def key_set(api, made):
    answer = await api[1].get(f"/v1/webhooks/{made['id']}/jwks.json")
    assert answer.status_code == 200, answer.text
    return answer


async def rotate(partner, made, seconds):
    path = f"/v1/webhooks/{made['id']}/secrets"
    await partner.call("POST", path, 201, json={"expire_old_after_seconds": seconds})


async def test_a_delivery_is_verified_by_the_published_keys_through_a_rotation(
    api, partner, made, database, a_worker, is_signed
):
    async with receiving() as receiver, a_worker(database):
        await partner.call("PATCH", f"/v1/webhooks/{made['id']}", 200, json={"url": receiver.url})
        before = (await key_set(api, made)).json()
        await rotate(partner, made, 3600)
        during = (await key_set(api, made)).json()
        assert [key["kid"] for key in during["keys"][1:]] == [key["kid"] for key in before["keys"]]
        await partner.call("POST", f"/v1/webhooks/{made['id']}/test", 202, json={})
        [received] = await receiver.wait(1)
    for published in (before, during, {"keys": during["keys"][:1]}):
        assert is_signed(published, received.body, received.headers)
        assert not is_signed(published, received.body + b" ", received.headers)
    assert not is_signed(during, received.body, received.headers | {"webhook-timestamp": "1700000000"})
    await rotate(partner, made, 0)
    after = (await key_set(api, made)).json()
    assert len(after["keys"]) == 1
    assert not is_signed(after, received.body, received.headers)


async def test_it_shows_the_public_part_alone_under_a_kid_that_is_its_thumbprint(api, made):
    answer = await key_set(api, made)
    [stated] = answer.json()["keys"]
    assert set(stated) == PUBLIC
    assert (stated["use"], stated["alg"], stated["crv"]) == ("sig", "EdDSA", "Ed25519")
    assert stated["kid"] == OKPKey.import_key({name: stated[name] for name in ("kty", "crv", "x")}).thumbprint()
    assert b64decode(made["public_keys"][0].removeprefix("whpk_")) == urlsafe_b64decode(stated["x"] + "=")


async def test_it_may_be_kept_for_a_minute_and_asked_for_again_by_its_etag(api, partner, made):
    first = await key_set(api, made)
    assert first.headers["content-type"] == "application/jwk-set+json"
    assert first.headers["cache-control"] == "public, max-age=60"
    again = await api[1].get(first.url.path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "access-control-allow-origin"):
        assert again.headers[name] == first.headers[name]
    await rotate(partner, made, 3600)
    changed = await api[1].get(first.url.path, headers={"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200


async def test_what_is_no_webhook_or_no_longer_one_is_not_found(api, partner, made):
    await partner.call("DELETE", f"/v1/webhooks/{made['id']}", 204)
    paths = [f"/v1/webhooks/{id_}/jwks.json" for id_ in (made["id"], "whk_01JD3T8Q5YB9N7K0V2M4XWZC6R", "nonsense")]
    answers = await asyncio.gather(*map(api[1].get, paths))
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * 3
