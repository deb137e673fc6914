"""POST /oauth/token from outside: RFC 6749 sections 2.3, 4.4 and 5, by JSON, form and Basic."""

import base64
import json
from time import perf_counter
from urllib.parse import urlencode

import pytest
from joserfc import jws, jwt
from joserfc.jwk import KeySet
from starlette.applications import Starlette

from auth.oauth.endpoints import routes
from auth.partners import create_partner
from auth.secrets import new_secret
from bench.identity import cost, cost_of, post
from tests.auth.conftest import ISSUER

TOKEN = "/oauth/token"


def asked(partner, **more):
    return {
        "grant_type": "client_credentials",
        "client_id": partner.client_id,
        "client_secret": partner.client_secret,
        **more,
    }


def basic(partner):
    pair = f"{partner.client_id}:{partner.client_secret}".encode()
    return {"authorization": "Basic " + base64.b64encode(pair).decode()}


async def test_form_json_and_basic_give_a_token(http, partner):
    grant = {"grant_type": "client_credentials"}
    answers = [
        await http.post(TOKEN, data=asked(partner)),
        await http.post(TOKEN, json=asked(partner)),
        await http.post(TOKEN, data=grant, headers=basic(partner)),
        await http.post(TOKEN, json=grant, headers=basic(partner)),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        body = answer.json()
        assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
        assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
        assert "storefronts:read" in body["scope"].split()
        assert "platform:read" not in body["scope"].split()


async def test_the_token_is_a_jwt_by_rfc_9068_that_the_jwks_verifies(http, partner):
    token = (await http.post(TOKEN, data=asked(partner, scope="profile:read"))).json()["access_token"]
    keys = KeySet.import_key_set((await http.get("/oauth/jwks.json")).json())
    read = jwt.decode(token, keys, algorithms=["RS256"])
    assert read.header["typ"] == "at+jwt"
    assert read.header["kid"] in [key.kid for key in keys.keys]
    assert set(read.claims) == {"iss", "aud", "sub", "client_id", "scope", "jti", "iat", "exp"}
    assert read.claims["sub"] == partner.user_id
    assert read.claims["client_id"] == partner.client_id
    assert read.claims["scope"] == "profile:read"
    assert read.claims["iss"] == ISSUER
    assert read.claims["exp"] - read.claims["iat"] == 3600


async def test_the_jwks_shows_no_private_part(http):
    for key in (await http.get("/oauth/jwks.json")).json()["keys"]:
        assert set(key) >= {"kty", "n", "e", "kid", "use", "alg"}
        assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key)


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"scope": "profile:read nonsense"}, 400, "invalid_scope"),
        ({"scope": "platform:read"}, 400, "invalid_scope"),
        ({"scope": 'a"b\\'}, 400, "invalid_scope"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "cli_01JD3T8Q5YB9N7K0V2M4XWZC6R"}, 401, "invalid_client"),
        ({"client_id": "a\0b"}, 400, "invalid_request"),
        ({"client_id": ""}, 401, "invalid_client"),
        ({"client_assertion": "x"}, 400, "invalid_request"),
    ],
)
async def test_refusals_are_those_of_rfc_6749(http, partner, change, status, error):
    for send in ("data", "json"):
        answer = await http.post(TOKEN, **{send: asked(partner, **change)})
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded", 400),
        (b'{"client_id": "a", "client_id": "b"}', "application/json", 400),
        (b'{"client_id": ["a"]}', "application/json", 400),
        (b'{"client_id": {"a": "b"}}', "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"client_id": "\\ud800"}', "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b"%ff=%ff", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"a" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"<a/>", "application/xml", 415),
    ],
)
async def test_malformed_bodies_are_refused(http, body, media, status):
    answer = await http.post(TOKEN, content=body, headers={"content-type": media})
    assert (answer.status_code, answer.json()["error"]) == (status, "invalid_request")


@pytest.mark.parametrize("header", ["Basic", "Basic %%%", "Basic " + base64.b64encode(b"nocolon").decode(), "Bearer x"])
async def test_a_bad_authorization_header_is_refused(http, header):
    answer = await http.post(TOKEN, data={"grant_type": "client_credentials"}, headers={"authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_credentials_sent_in_two_ways_are_refused(http, partner):
    answer = await http.post(TOKEN, data=asked(partner), headers=basic(partner))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_unknown_client_and_wrong_secret_are_told_apart_by_nobody(http, partner):
    wrong = asked(partner, client_secret=new_secret("client_secret", "sandbox"))
    unknown = wrong | {"client_id": "cli_01JD3T8Q5YB9N7K0V2M4XWZC6R"}
    answers = [await http.post(TOKEN, data=fields) for fields in (wrong, unknown)]
    assert answers[0].content == answers[1].content
    assert {answer.status_code for answer in answers} == {401}
    headers = [{name: value for name, value in answer.headers.items() if name != "date"} for answer in answers]
    assert headers[0] == headers[1]
    times: dict[str, list[float]] = {"wrong": [], "unknown": []}
    for _ in range(60):
        for name, fields in (("wrong", wrong), ("unknown", unknown)):
            started = perf_counter()
            await http.post(TOKEN, data=fields)
            times[name].append(perf_counter() - started)
    quick = [sorted(series)[10] for series in times.values()]  # a busy machine blurs the slower ones
    assert max(quick) < 1.5 * min(quick)


async def test_a_wrong_secret_by_basic_is_challenged(http, partner):
    header = "Basic " + base64.b64encode(f"{partner.client_id}:wrong".encode()).decode()
    answer = await http.post(TOKEN, data={"grant_type": "client_credentials"}, headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")


async def test_a_narrow_client_gets_only_what_it_holds(http, db, identity):
    narrow = await create_partner(
        db, identity.hasher, "Narrow", environment="sandbox", scopes="profile:read orders:read"
    )
    assert (await http.post(TOKEN, data=asked(narrow))).json()["scope"] == "profile:read orders:read"
    refused = await http.post(TOKEN, data=asked(narrow, scope="storefronts:read"))
    assert refused.json()["error"] == "invalid_scope"


async def test_platform_read_is_given_where_it_is_named(http, db, identity):
    operator = await create_partner(
        db, identity.hasher, "Operator", environment="sandbox", scopes="profile:read platform:read", tier="internal"
    )
    assert (await http.post(TOKEN, data=asked(operator, scope="platform:read"))).json()["scope"] == "platform:read"


async def test_a_suspended_client_gets_no_token(http, db, partner):
    await db.fetch("update clients set status = 'suspended' where id = $1", (partner.client_id,))
    answer = await http.post(TOKEN, data=asked(partner))
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


async def test_metadata_names_what_there_is(http):
    answer = await http.get("/.well-known/oauth-authorization-server")
    body = answer.json()
    assert body["issuer"] == ISSUER
    for name in ("token_endpoint", "jwks_uri"):
        assert (await http.request("OPTIONS", body[name])).status_code in (200, 405)
    assert "client_credentials" in body["grant_types_supported"]


async def test_one_token_costs_one_statement(http, partner):
    from db.sessions import statements_sent

    counter = [0]
    token = statements_sent.set(counter)
    try:
        assert (await http.post(TOKEN, data=asked(partner))).status_code == 200
    finally:
        statements_sent.reset(token)
    assert counter[0] == 1


async def test_a_token_costs_little_more_than_its_signature(identity, partner):
    """In CPU time of this process, of which others' work is no part: well under four bare signatures (measured: two)."""
    app, body = Starlette(routes=routes(identity)), urlencode(asked(partner)).encode()

    def sign():
        return identity.tokens.issue(user_id=partner.user_id, client_id=partner.client_id, scope="profile:read")

    alone = min(cost(sign, 50) for _ in range(4))
    whole = min([await cost_of(lambda: post(app, body), 50) for _ in range(4)])
    assert whole < 4 * alone


async def test_the_header_of_a_token_is_exactly_ours(http, partner):
    token = (await http.post(TOKEN, data=asked(partner))).json()["access_token"]
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert set(header) == {"alg", "typ", "kid"}
    assert jws.extract_compact(token.encode()).headers() == header


@pytest.mark.parametrize(
    ("path", "method"), [("/oauth/token", "GET"), ("/oauth/jwks.json", "DELETE"), ("/oauth/authorize", "PUT")]
)
async def test_a_wrong_method_is_refused_as_elsewhere(http, path, method):
    answer = await http.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["allow"]
    assert answer.json()["code"] == "method_not_allowed"


async def test_head_is_get_without_the_body(http):
    assert (await http.head("/oauth/jwks.json")).status_code == 200
