"""An organisation's clients over REST: made, changed, held to their addresses and to their environment."""

import httpx
import pytest

from auth.partners import create_creator, create_partner
from auth.secrets import new_secret
from db.ids import new_id
from tests.auth.conftest import http_client, open_identity
from tests.auth.test_credentials import by, eventually, log_of

MINE = "profile:read orders:read"


@pytest.fixture
async def api(live):
    async with httpx.AsyncClient(base_url=live.url, timeout=30) as client:
        yield client


@pytest.fixture
async def partner(live):
    return await create_partner(
        live.parts.db, live.parts.identity.hasher, "Atelier", environment="sandbox", scopes=MINE
    )


async def ask_token(http, client_id, secret):
    fields = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return await http.post("/oauth/token", data=fields)


async def make(api, partner, **given):
    made = await api.post("/v1/clients", json={"name": "Back end"} | given, headers=by(partner.api_key))
    assert made.status_code == 201, made.text
    return made.json()


async def test_an_organisation_has_several_clients(api, partner):
    headers = by(partner.api_key) | {"idempotency-key": "one"}
    first, again = [await api.post("/v1/clients", json={"name": "Shop"}, headers=headers) for _ in range(2)]
    assert first.json() == again.json()
    made = first.json()
    assert first.headers["location"] == f"/v1/clients/{made['id']}"
    assert (made["environment"], sorted(made["scopes"])) == ("sandbox", sorted(MINE.split()))
    token = (await ask_token(api, made["id"], made["client_secret"])).json()
    assert sorted(token["scope"].split()) == sorted(MINE.split())
    listed = (await api.get("/v1/clients", headers=by(partner.api_key))).json()["data"]
    assert [one["id"] for one in listed] == [partner.client_id, made["id"]]
    assert made["client_secret"] not in str(listed)
    stranger = {"authorization": f"Bearer {token['access_token']}"}
    assert (await api.get(f"/v1/clients/{made['id']}", headers=stranger)).status_code == 200
    assert [entry["action"] for entry in await log_of(api, partner.api_key)][-2:] == [
        "client.created",
        "client_secret.created",
    ]


async def test_clients_are_their_owners_alone(live, api, partner):
    other = await create_partner(live.parts.db, live.parts.identity.hasher, "Other", environment="sandbox")
    path = f"/v1/clients/{other.client_id}"
    assert (await api.get(path, headers=by(partner.api_key))).status_code == 404
    assert (await api.patch(path, json={"name": "Mine"}, headers=by(partner.api_key))).status_code == 404
    made = await create_creator(
        live.parts.db, f"@d-{new_id('usr')[-8:].lower()}", email=f"{new_id('usr')}@d.test", password="correct horse"
    )
    await api.put(f"/v1/organization/members/{made.user_id}", json={"role": "developer"}, headers=by(partner.api_key))
    token = live.parts.identity.tokens.issue(user_id=made.user_id, client_id=partner.client_id, scope=MINE)
    developer = {"authorization": f"Bearer {token}"}
    assert (await api.get("/v1/clients", headers=developer)).status_code == 200
    assert (await api.post("/v1/clients", json={"name": "x"}, headers=developer)).status_code == 403
    narrow = live.parts.identity.tokens.issue(
        user_id=partner.user_id, client_id=partner.client_id, scope="profile:read"
    )
    sent = {"authorization": f"Bearer {narrow}"}
    assert (
        await api.post("/v1/clients", json={"name": "x", "scopes": ["orders:read"]}, headers=sent)
    ).status_code == 422
    assert (await api.patch(f"/v1/clients/{partner.client_id}", json={"name": "x"}, headers=sent)).status_code == 403


async def test_bad_clients_are_told_every_fault(api, partner):
    bad = {"name": "x", "redirect_uris": ["http://a.test"], "allowed_addresses": ["192.0.2.0/24", "nowhere"]}
    refused = await api.post("/v1/clients", json=bad, headers=by(partner.api_key))
    pointers = [fault["pointer"] for fault in refused.json()["errors"]]
    assert (refused.status_code, pointers) == (422, ["/redirect_uris/0", "/allowed_addresses/1"])
    shut = {"allowed_addresses": ["192.0.2.0/24"]}
    own = await api.patch(f"/v1/clients/{partner.client_id}", json=shut, headers=by(partner.api_key))
    assert (own.status_code, "127.0.0.1" in own.json()["errors"][0]["message"]) == (422, True)
    gone = await api.patch(
        f"/v1/clients/{partner.client_id}", json={"status": "suspended"}, headers=by(partner.api_key)
    )
    assert gone.status_code == 409


async def test_a_client_works_from_its_addresses_alone(live, api, partner):
    """Asked for a token it is told so, by RFC 6749's words; a token it has stops within seconds; its owner reads of it."""
    made = await make(api, partner)
    token = {
        "authorization": f"Bearer {(await ask_token(api, made['id'], made['client_secret'])).json()['access_token']}"
    }
    assert (await api.get("/v1/me", headers=token)).status_code == 200
    path, owner = f"/v1/clients/{made['id']}", by(partner.api_key)
    changed = await api.patch(path, json={"allowed_addresses": ["192.0.2.0/24", "2001:db8::/32"]}, headers=owner)
    assert changed.json()["allowed_addresses"] == ["192.0.2.0/24", "2001:db8::/32"]

    async def refused():
        return (await api.get("/v1/me", headers=token)).status_code == 401

    await eventually(refused)
    told = await api.get("/v1/me", headers=token)
    assert "your address" in told.headers["www-authenticate"]
    for _ in range(3):
        asked = await ask_token(api, made["id"], made["client_secret"])
        assert (asked.status_code, asked.json()["error"]) == (400, "unauthorized_client")
        assert "your address" in asked.json()["error_description"]
    wrong = await ask_token(api, made["id"], made["client_secret"][:-1] + "x")
    assert wrong.json()["error"] == "invalid_client"
    await live.parts.identity.alarms.settled()
    entries = [entry for entry in await log_of(api, partner.api_key) if entry["subject"] == made["id"]]
    assert [entry["action"] for entry in entries] == ["client.created", "client.changed", "client.refused"]
    assert entries[1]["details"]["allowed_addresses"]["from"] == []
    assert entries[2]["details"] == {"why": "address", "address": "127.0.0.1"}
    await api.patch(path, json={"allowed_addresses": []}, headers=owner)

    async def welcome():
        return (await api.get("/v1/me", headers=token)).status_code == 200

    await eventually(welcome)


async def test_a_suspended_client_gets_nothing(api, partner):
    made = await make(api, partner)
    token = (await ask_token(api, made["id"], made["client_secret"])).json()["access_token"]
    path = f"/v1/clients/{made['id']}"
    await api.patch(path, json={"status": "suspended"}, headers=by(partner.api_key))

    async def refused():
        return (await api.get("/v1/me", headers={"authorization": f"Bearer {token}"})).status_code == 401

    await eventually(refused)
    asked = await ask_token(api, made["id"], made["client_secret"])
    assert asked.json()["error"] == "unauthorized_client"


async def test_an_environment_knows_no_client_of_the_other(live, api, partner, db):
    made = await make(api, partner, environment="production")
    assert made["client_secret"].startswith("fss_live_")
    for client_id, secret in (
        (made["id"], made["client_secret"]),
        ("cli_none", new_secret("client_secret", "production")),
    ):
        asked = await ask_token(api, client_id, secret)
        assert (asked.status_code, asked.json()["error"]) == (401, "invalid_client")
        assert "production" in asked.json()["error_description"]
    link = {"response_type": "code", "client_id": made["id"], "redirect_uri": "https://a.test"}
    assert "of the production environment" in (await api.get("/oauth/authorize", params=link)).text
    production = await open_identity(db, "production")
    async with http_client(production) as http:
        granted = await ask_token(http, made["id"], made["client_secret"])
        assert granted.status_code == 200
        foreign = await ask_token(http, partner.client_id, partner.client_secret)
        assert (foreign.status_code, "sandbox" in foreign.json()["error_description"]) == (401, True)
    await production.close()
    refused = await api.get("/v1/me", headers={"authorization": f"Bearer {granted.json()['access_token']}"})
    assert refused.status_code == 401


async def test_at_most_twenty_clients(api, partner):
    for _ in range(19):
        await make(api, partner)
    more = await api.post("/v1/clients", json={"name": "x"}, headers=by(partner.api_key))
    assert (more.status_code, more.json()["code"]) == (409, "conflict")
