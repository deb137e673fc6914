"""Dynamic registration (RFC 7591) and its management (RFC 7592)."""

import pytest
from joserfc.jwk import ECKey

from auth.identity import Identity
from auth.limits import Policy
from auth.partners import create_partner
from tests.auth.conftest import ISSUER, http_client, open_identity

PATH = "/oauth/register"


@pytest.fixture
async def small(db, identity):
    return await create_partner(db, identity.hasher, "Tools", environment="sandbox", scopes="profile:read orders:read")


def by(token):
    return {"authorization": f"Bearer {token}"}


async def test_a_client_is_registered_used_changed_and_deleted(identity: Identity, http, small):
    stated = {"client_name": "CI", "redirect_uris": ["https://ci.test/back"], "scope": "profile:read"}
    made = await http.post(PATH, json=stated, headers=by(small.api_key))
    assert made.status_code == 201, made.text
    body = made.json()
    assert body["token_endpoint_auth_method"] == "client_secret_basic"
    assert body["client_secret_expires_at"] == 0
    fields = {
        "grant_type": "client_credentials",
        "client_id": body["client_id"],
        "client_secret": body["client_secret"],
    }
    token = (await http.post("/oauth/token", data=fields)).json()
    assert token["scope"] == "profile:read"
    viewer = await identity.authenticator.authenticate(f"Bearer {token['access_token']}", None)
    assert viewer.organization_id == small.organization_id
    own = body["registration_client_uri"].removeprefix(ISSUER)
    manage = by(body["registration_access_token"])
    assert (await http.get(own, headers=manage)).json()["client_name"] == "CI"
    assert "client_secret" not in (await http.get(own, headers=manage)).json()
    assert (await http.get(own, headers=by(small.api_key))).status_code == 401
    assert (await http.get(f"{PATH}/{small.client_id}", headers=manage)).status_code == 401
    changed = await http.put(own, json=stated | {"redirect_uris": ["https://ci.test/other"]}, headers=manage)
    assert changed.json()["redirect_uris"] == ["https://ci.test/other"]
    wide = await http.put(own, json=stated | {"scope": "orders:read"}, headers=manage)
    assert wide.json()["error"] == "invalid_client_metadata"
    assert (await http.delete(own, headers=manage)).status_code == 204
    assert (await http.get(own, headers=manage)).status_code == 401
    assert identity.authenticator.cached(token["access_token"]) is None
    assert (await http.post("/oauth/token", data=fields)).status_code == 400


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"redirect_uris": ["http://evil.test/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://a.test"}, "invalid_client_metadata"),
        ({"redirect_uris": [7]}, "invalid_client_metadata"),
        ({"scope": "platform:read"}, "invalid_client_metadata"),
        ({"scope": ["profile:read"]}, "invalid_client_metadata"),
        ({"scope": "storefronts:read"}, "invalid_client_metadata"),
        ({"grant_types": ["password"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        (
            {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "EC"}]}},
            "invalid_client_metadata",
        ),
        ({"token_endpoint_auth_method": "private_key_jwt", "jwks": []}, "invalid_client_metadata"),
        ({"client_name": ""}, "invalid_client_metadata"),
        ({"client_name": "\0"}, "invalid_client_metadata"),
    ],
)
async def test_wrong_metadata_is_named(http, small, change, error):
    answer = await http.post(PATH, json=change, headers=by(small.api_key))
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_private_keys_are_refused_and_public_ones_kept(http, small):
    key = ECKey.generate_key("P-256", {"kid": "a"})
    stated = {"token_endpoint_auth_method": "private_key_jwt"}
    private = stated | {"jwks": {"keys": [key.as_dict(private=True)]}}
    assert (await http.post(PATH, json=private, headers=by(small.api_key))).status_code == 400
    made = await http.post(
        PATH, json=stated | {"jwks": {"keys": [key.as_dict(private=False)]}}, headers=by(small.api_key)
    )
    assert made.status_code == 201
    assert "client_secret" not in made.json()


async def test_registration_needs_a_partner_and_has_a_bound(http, small):
    assert (await http.post(PATH, json={})).status_code == 401
    assert (await http.post(PATH, json={}, headers=by("nonsense"))).status_code == 401
    codes = [(await http.post(PATH, json={}, headers=by(small.api_key))).status_code for _ in range(11)]
    assert codes == [201] * 10 + [400]


async def test_production_registers_nobody(db):
    production = await open_identity(db, "production")
    async with http_client(production) as client:
        assert (await client.post(PATH, json={})).status_code == 403
        assert "registration_endpoint" not in (await client.get("/.well-known/oauth-authorization-server")).json()
    await production.close()


async def test_wrong_secrets_without_end_are_answered_no_more(db, small, monkeypatch):
    few = {"client": Policy("client", 3, 60), "clients": Policy("clients", 5, 60)}
    monkeypatch.setattr("auth.identity.ATTEMPTS", few)
    opened = await open_identity(db)
    fields = {"grant_type": "client_credentials", "client_id": small.client_id, "client_secret": "wrong"}
    async with http_client(opened) as client:
        codes = [(await client.post("/oauth/token", data=fields)).status_code for _ in range(6)]
        assert codes == [401, 401, 401, 401, 429, 429]
        refused = await client.post("/oauth/token", data=fields)
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        other = fields | {"client_id": "cli_01JD3T8Q5YB9N7K0V2M4XWZC6R"}
        assert (await client.post("/oauth/token", data=other)).status_code == 401
    await opened.close()
