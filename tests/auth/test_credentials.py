"""Secrets and keys over REST: overlap, scopes, addresses, leaks; members and their roles; the audit log; applications."""

import asyncio

import httpx
import orjson
import pytest

from auth.audit import broken_at
from auth.partners import create_creator, create_partner
from db.ids import new_id
from tests.auth.test_commands import run


@pytest.fixture
async def api(live):
    async with httpx.AsyncClient(base_url=live.url, timeout=30) as client:
        yield client


@pytest.fixture
async def partner(live):
    return await create_partner(
        live.parts.db, live.parts.identity.hasher, "Keys", environment="sandbox", scopes="profile:read orders:read"
    )


def by(key):
    return {"x-api-key": key}


async def ask_token(api, partner, secret):
    fields = {"grant_type": "client_credentials", "client_id": partner.client_id, "client_secret": secret}
    return await api.post("/oauth/token", data=fields)


async def eventually(check):
    async with asyncio.timeout(5):
        while not await check():  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.1)


async def test_a_secret_is_replaced_with_an_overlap(live, api, partner):
    me = by(partner.api_key)
    made = await api.post("/v1/credentials/secrets", json={"retire_others_after_seconds": 3600}, headers=me)
    assert made.status_code == 201, made.text
    fresh = made.json()["secret"]
    assert (await ask_token(api, partner, fresh)).status_code == 200
    assert (await ask_token(api, partner, partner.client_secret)).status_code == 200
    third = await api.post("/v1/credentials/secrets", json={}, headers=me)
    assert (third.status_code, third.json()["code"]) == (409, "conflict")
    shown = (await api.get("/v1/credentials", headers=me)).json()["data"]
    assert [one["kind"] for one in shown].count("client_secret") == 2
    assert fresh not in str(shown)
    old = next(one for one in shown if one["kind"] == "client_secret" and one["expires_at"])
    assert (await api.delete(f"/v1/credentials/{old['id']}", headers=me)).status_code == 204
    assert (await ask_token(api, partner, partner.client_secret)).status_code == 401
    assert (await ask_token(api, partner, fresh)).status_code == 200


async def test_a_repeated_request_gives_the_same_secret_which_is_never_kept(live, api, partner):
    headers = by(partner.api_key) | {"idempotency-key": "once"}
    one, again = [await api.post("/v1/credentials/keys", json={}, headers=headers) for _ in range(2)]
    assert one.status_code == again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert one.json() == again.json()
    kept = await live.parts.db.fetch("select outcome from idempotency_keys where key = 'once'")
    assert one.json()["secret"] not in str([dict(row) for row in kept])


async def test_a_narrow_key_is_held_to_its_scopes_and_cannot_make_a_wide_one(api, partner):
    made = await api.post("/v1/credentials/keys", json={"scopes": ["profile:read"]}, headers=by(partner.api_key))
    narrow = made.json()["secret"]
    assert (await api.get("/v1/me", headers=by(narrow))).json()["scopes"] == ["profile:read"]
    assert (await api.get("/v1/orders", headers=by(narrow))).status_code == 403
    for path in ("keys", "secrets"):
        assert (await api.post(f"/v1/credentials/{path}", json={}, headers=by(narrow))).status_code == 403
    wide = await api.post("/v1/credentials/keys", json={"scopes": ["assets:read"]}, headers=by(partner.api_key))
    assert wide.status_code == 422


async def test_a_key_works_from_its_addresses_alone(api, partner):
    me = by(partner.api_key)
    here = await api.post("/v1/credentials/keys", json={"allowed_addresses": ["127.0.0.0/8"]}, headers=me)
    away = await api.post("/v1/credentials/keys", json={"allowed_addresses": ["192.0.2.1"]}, headers=me)
    assert (await api.get("/v1/me", headers=by(here.json()["secret"]))).status_code == 200
    refused = await api.get("/v1/me", headers=by(away.json()["secret"]))
    assert (refused.status_code, "address" in refused.json()["detail"]) == (401, True)
    bad = await api.post("/v1/credentials/keys", json={"allowed_addresses": ["nowhere"]}, headers=me)
    assert bad.json()["errors"][0]["pointer"] == "/allowed_addresses"


async def test_a_leaked_key_and_a_leaked_secret_are_dead_within_seconds(live, api, partner):
    token = (await ask_token(api, partner, partner.client_secret)).json()["access_token"]
    bearer = {"authorization": f"Bearer {token}"}
    assert (await api.get("/v1/me", headers=by(partner.api_key))).status_code == 200
    assert (await api.get("/v1/me", headers=bearer)).status_code == 200
    for text in (partner.api_key, partner.client_secret, "nonsense", "fsh_test_" + "0" * 36):
        assert (await api.post("/v1/leaked-credentials", json={"secret": text})).status_code == 204

    async def dead():
        answers = [await api.get("/v1/me", headers=headers) for headers in (by(partner.api_key), bearer)]
        return [answer.status_code for answer in answers] == [401, 401]

    await eventually(dead)
    assert (await ask_token(api, partner, partner.client_secret)).status_code == 401
    actions = await live.parts.db.fetch(
        "select action from audit_entries where chain = $1 and actor = 'leak report'",
        (partner.organization_id,),
    )
    assert {row["action"] for row in actions} == {"api_key.leaked", "client_secret.leaked"}


async def test_roles_say_who_may_do_what(live, api, partner):
    parts, me = live.parts, by(partner.api_key)
    people = {}
    for role in ("owner", "developer", "viewer", None):
        handle = f"@m-{new_id('usr')[-8:].lower()}"
        made = await create_creator(parts.db, handle, email=f"{handle[1:]}@m.test", password="correct horse")
        token = parts.identity.tokens.issue(
            user_id=made.user_id, client_id=partner.client_id, scope="profile:read orders:read"
        )
        people[role] = {"authorization": f"Bearer {token}"}
        if role:
            path = f"/v1/organization/members/{made.user_id}"
            assert (await api.put(path, json={"role": role}, headers=me)).json()["role"] == role
    may = {"owner": (200, 201, 200), "developer": (403, 201, 200), "viewer": (403, 403, 200), None: (403, 403, 403)}
    for role, expected in may.items():
        headers = people[role]
        found = (
            (await api.put(path, json={"role": "viewer"}, headers=headers)).status_code,
            (await api.post("/v1/credentials/keys", json={}, headers=headers)).status_code,
            (await api.get("/v1/organization/audit", headers=headers)).status_code,
        )
        assert found == expected, role
    assert (await api.delete(path, headers=me)).status_code == 204
    assert (await api.delete(path, headers=me)).status_code == 404
    assert (
        await api.put(f"/v1/organization/members/{partner.user_id}", json={"role": "viewer"}, headers=me)
    ).status_code == 404


async def log_of(api, key):
    entries, cursor = [], None
    while True:
        page = (
            await api.get(
                "/v1/organization/audit", params={"limit": 2} | ({"cursor": cursor} if cursor else {}), headers=by(key)
            )
        ).json()
        entries += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            return entries


async def test_the_audit_log_is_a_chain_that_shows_every_change(live, api, partner):
    await asyncio.gather(*(api.post("/v1/credentials/keys", json={}, headers=by(partner.api_key)) for _ in range(5)))
    entries = await log_of(api, partner.api_key)
    assert [entry["number"] for entry in entries] == list(range(1, 7))
    assert entries[0]["action"] == "partner.created"
    assert broken_at(entries) is None
    assert broken_at([entry | {"actor": "somebody"} if entry["number"] == 3 else entry for entry in entries]) == 3
    assert broken_at(entries[:2] + entries[3:]) == 3
    assert partner.client_secret not in str(entries)
    await live.parts.db.fetch("update audit_entries set subject = 'x' where id = $1", (entries[3]["id"],))
    assert broken_at(await log_of(api, partner.api_key)) == 4


WISH = {
    "organization_name": "Atelier Nord", "contact_email": "api@nord.test", "use_case": "Our shop",
    "expected_volume": "2000 an hour", "timeline": "March",
}  # fmt: skip


async def test_an_application_is_approved_by_the_operator(live, api, dsn):
    answers = await asyncio.gather(*(api.post("/v1/applications", json=WISH) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 201]
    id_ = answers[0].json()["id"]
    assert (await api.get(f"/v1/applications/{id_}")).json()["status"] == "pending"
    secret = {"FSHNISTA_SECRET": live.parts.platform.secret.decode()}
    code, out, err = await run(dsn, "application", "list", **secret)
    assert id_ in out, err
    code, out, err = await run(dsn, "application", "approve", id_, "--json", **secret)
    assert code == 0, err
    made = orjson.loads(out)
    assert (await api.get("/v1/me", headers=by(made["api_key"]))).json()["organization"]["name"] == "Atelier Nord"
    assert (await api.get(f"/v1/applications/{id_}")).json()["status"] == "approved"
    assert (await run(dsn, "application", "approve", id_, **secret))[0] == 2
    other = (await api.post("/v1/applications", json=WISH | {"organization_name": "Other"})).json()["id"]
    assert (await run(dsn, "application", "reject", other, "--reason", "Too early", **secret))[0] == 0
    assert (await api.get(f"/v1/applications/{other}")).json()["reason"] == "Too early"
    assert (await api.post("/v1/applications", json=WISH | {"contact_email": "nobody"})).status_code == 422
    assert (await api.get("/v1/applications/app_none")).status_code == 404
