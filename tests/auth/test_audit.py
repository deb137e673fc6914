"""Every act that bears on security leaves an entry, and `audit verify` finds what was tampered with."""

import asyncio

import orjson
import pytest

from auth.partners import create_partner
from tests.auth.conftest import http_client, open_identity
from tests.auth.flow import form_of, new_creator, new_site
from tests.auth.test_authorize import app as app
from tests.auth.test_commands import run


async def actions_in(db, chain):
    rows = await db.fetch("select action from audit_entries where chain = $1 order by number", (chain,))
    return [row["action"] for row in rows]


async def test_consents_are_told_to_both_sides(identity, app, http):
    site, creator = await new_site(identity, http), await new_creator(identity, app)
    await site.exchange(await creator.allow(site))
    page = await creator.browser.get(site.link(prompt="consent"))
    await creator.decide(page, scopes=["profile:read"])
    page = await creator.browser.get(site.link())
    await creator.decide(page, scopes=["profile:read"])  # nothing differs
    action, fields = form_of((await creator.browser.get("/oauth/consents")).text, 1)
    done = await creator.browser.post(action, data=fields)
    assert "Access withdrawn" in done.text
    given = ["consent.given", "consent.changed", "consent.withdrawn"]
    assert await actions_in(identity.db, creator.account.user_id) == given
    partners = await actions_in(identity.db, site.partner.organization_id)
    assert [one for one in partners if one.startswith("consent")] == given
    assert "tokens.revoked" in partners
    await creator.browser.aclose()


async def test_guessing_is_told_to_whom_it_is_about(identity, app, db, monkeypatch):
    """Once, however long it goes on."""
    creator = await new_creator(identity, app)
    monkeypatch.setattr("auth.oauth.browser.password_matches", lambda *_: asyncio.sleep(0, False))
    for _ in range(14):
        await creator.sign_in("/oauth/sign-in", password="nope nope")
    await identity.alarms.settled()
    assert await actions_in(db, creator.account.user_id) == ["sign_in.locked"]
    await creator.browser.aclose()


async def test_secrets_tried_without_end_are_told_to_their_owner(db, monkeypatch):
    from auth.limits import Policy

    monkeypatch.setattr(
        "auth.identity.ATTEMPTS", {"client": Policy("client", 2, 60), "clients": Policy("clients", 9, 60)}
    )
    opened = await open_identity(db)
    partner = await create_partner(db, opened.hasher, "Guessed", environment="sandbox")
    fields = {"grant_type": "client_credentials", "client_id": partner.client_id, "client_secret": "wrong"}
    async with http_client(opened) as http:
        for _ in range(6):
            await http.post("/oauth/token", data=fields)
    await opened.close()
    assert await actions_in(db, partner.organization_id) == ["partner.created", "client.locked"]


async def test_webhooks_and_their_secrets(live, db):
    import httpx

    partner = await create_partner(db, live.parts.identity.hasher, "Hooks", environment="sandbox")
    async with httpx.AsyncClient(base_url=live.url, headers={"x-api-key": str(partner.api_key)}) as api:
        made = await api.post("/v1/webhooks", json={"url": "https://a.example/h", "events": ["order.created"]})
        assert made.status_code == 201, made.text
        path = f"/v1/webhooks/{made.json()['id']}"
        assert (await api.post(f"{path}/secrets", json={})).status_code == 201
        assert (await api.patch(path, json={"url": "https://b.example/h"})).status_code == 200
        assert (await api.patch(path, json={"description": "x"})).status_code == 200
        assert (await api.delete(path)).status_code == 204
    assert await actions_in(db, partner.organization_id) == [
        "partner.created", "webhook.created", "webhook.secret_rotated", "webhook.moved", "webhook.removed",
    ]  # fmt: skip


@pytest.fixture
async def kept(fresh_dsn, tmp_path):
    """A database with chains, and what `audit verify` printed of them."""
    assert (await run(fresh_dsn, "partner", "create", "Maison", "--json"))[0] == 0
    assert (await run(fresh_dsn, "keys", "rotate"))[0] == 0
    code, out, err = await run(fresh_dsn, "audit", "verify")
    assert (code, err) == (0, "")
    path = tmp_path / "heads"
    path.write_text(out)
    return path


async def test_the_operator_verifies_every_chain(fresh_dsn, kept):
    import asyncpg

    heads = [orjson.loads(line) for line in kept.read_text().splitlines()]
    assert {head["chain"][:4]: head["number"] for head in heads} == {"org_": 1, "plat": 2}
    code, out, err = await run(fresh_dsn, "audit", "show", "platform")
    assert [orjson.loads(line)["action"] for line in out.splitlines()] == ["signing_key.created", "signing_key.rotated"]
    assert (await run(fresh_dsn, "keys", "rotate"))[0] == 0
    assert (await run(fresh_dsn, "audit", "verify", "--against", str(kept)))[0] == 0
    connection = await asyncpg.connect(fresh_dsn)
    await connection.execute("delete from audit_entries where chain = 'platform' and number > 1")
    await connection.execute("update audit_entries set details = '{}' where chain <> 'platform'")
    await connection.close()
    code, out, err = await run(fresh_dsn, "audit", "verify", "--against", str(kept))
    assert code == 1
    assert "entry 1 was changed" in err
    assert "platform: entry 2 is gone" in err
    code, out, err = await run(fresh_dsn, "audit", "verify")
    assert (code, "platform" in err) == (1, False)  # the end of a chain is only known to who kept its head
    assert (await run(fresh_dsn, "audit", "verify", "--against", "nowhere"))[0] == 2
