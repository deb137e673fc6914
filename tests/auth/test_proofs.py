"""DPoP, private_key_jwt, resource indicators, address lists: what credentials are held to beside themselves."""

import asyncio
import base64
from time import time

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from app.shared_limits import run_valkey
from auth.errors import Unauthenticated
from auth.nonces import Nonces
from auth.partners import create_partner
from auth.proofs import BadProof, NonceNeeded, Proofs, ath
from auth.replays import DatabaseReplays, ProcessReplays, ValkeyReplays
from auth.source import Source
from db.ids import new_id
from tests.auth.conftest import ISSUER

KEY = ECKey.generate_key("P-256")
URL = "https://api.fshnista.test/v1/me"


def checker(replays=None):
    return Proofs(replays or ProcessReplays(), Nonces(b"of the tests"))


def proof(key=KEY, *, header=None, algorithm="ES256", **claims):
    stated = {"htm": "GET", "htu": URL, "iat": int(time()), "jti": new_id("usr")} | claims
    full = {"typ": "dpop+jwt", "alg": algorithm, "jwk": key.as_dict(private=False)} | (header or {})
    return jws.serialize_compact(full, orjson.dumps(stated), key, algorithms=[algorithm])


async def test_a_good_proof_names_its_key():
    assert await checker().check(proof(), method="GET", url=URL) == KEY.thumbprint()
    rsa = RSAKey.generate_key(2048)
    assert await checker().check(proof(rsa, algorithm="PS256"), method="GET", url=URL + "?x=1") == rsa.thumbprint()
    assert await checker().check(proof(ath=ath("token")), method="GET", url=URL, token="token")


@pytest.mark.parametrize(
    "bad",
    [
        lambda: "",
        lambda: "a.b.c",
        lambda: proof(htm="POST"),
        lambda: proof(htu="https://evil.test/v1/me"),
        lambda: proof(htu=None),
        lambda: proof(iat=int(time()) - 120),
        lambda: proof(iat=int(time()) + 120),
        lambda: proof(iat="now"),
        lambda: proof(iat=True),
        lambda: proof(jti=None),
        lambda: proof(jti=""),
        lambda: proof(header={"typ": "JWT"}),
        lambda: proof(header={"jwk": ECKey.generate_key("P-256").as_dict(private=False)}),
        lambda: proof(header={"jwk": KEY.as_dict(private=True)}),
        lambda: proof(header={"jwk": {"kty": "EC"}}),
        lambda: proof(OctKey.generate_key(256), algorithm="HS256"),
        lambda: proof()[:-4] + "AAAA",
        lambda: base64.b64encode(b"\xff" * 9000).decode(),
    ],
)
async def test_bad_proofs_are_refused(bad):
    with pytest.raises(BadProof):
        await checker().check(bad(), method="GET", url=URL)


async def test_a_proof_is_taken_once_and_is_of_its_token():
    proofs, sent = checker(), proof(ath=ath("token"))
    assert await proofs.check(sent, method="GET", url=URL, token="token")
    with pytest.raises(BadProof, match="before"):
        await proofs.check(sent, method="GET", url=URL, token="token")
    with pytest.raises(BadProof, match="ath"):
        await proofs.check(proof(ath=ath("other")), method="GET", url=URL, token="token")


def fields_of(partner, **more):
    return {
        "grant_type": "client_credentials", "client_id": partner.client_id, "client_secret": partner.client_secret, **more,
    }  # fmt: skip


async def test_a_token_bound_to_a_key_is_of_no_use_without_it(identity, http, partner):
    sent = {"dpop": proof(htm="POST", htu=f"{ISSUER}/oauth/token")}
    body = (await http.post("/oauth/token", data=fields_of(partner), headers=sent)).json()
    assert body["token_type"] == "DPoP"
    token, ask = body["access_token"], identity.authenticator.authenticate
    for _ in range(2):
        source = Source("", "GET", "/v1/me", proof(htu=f"{ISSUER}/v1/me", ath=ath(token)))
        assert (await ask(f"DPoP {token}", None, source)).client_id == partner.client_id
    assert identity.authenticator.cached(token) is None
    thief = proof(ECKey.generate_key("P-256"), htu=f"{ISSUER}/v1/me", ath=ath(token))
    for authorization, source in (
        (f"Bearer {token}", Source("", "GET", "/v1/me")),
        (f"DPoP {token}", Source("", "GET", "/v1/me")),
        (f"DPoP {token}", Source("", "GET", "/v1/me", thief)),
        (f"DPoP {partner.api_key}", Source("", "GET", "/v1/me", proof())),
    ):
        with pytest.raises(Unauthenticated) as refused:
            await ask(authorization, None, source)
        assert refused.value.challenge.startswith("DPoP ")


async def test_a_client_can_be_held_to_bound_tokens(db, http, partner):
    await db.fetch("update clients set dpop_bound = true where id = $1", (partner.client_id,))
    refused = await http.post("/oauth/token", data=fields_of(partner))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    bad = await http.post("/oauth/token", data=fields_of(partner), headers={"dpop": "x"})
    assert bad.json()["error"] == "invalid_dpop_proof"


async def test_addresses_that_are_not_listed_are_refused(db, identity, partner):
    ask, key = identity.authenticator.authenticate, partner.api_key
    await db.fetch(
        "update api_keys set allowed_addresses = '{192.0.2.0/24,2001:db8::1}' where client_id = $1",
        (partner.client_id,),
    )
    for good in ("192.0.2.7", "2001:db8::1", "::ffff:192.0.2.9"):
        assert await ask(None, key, Source(good))
    assert identity.authenticator.cached(key) is None
    for bad in ("192.0.3.1", "2001:db8::2", "", "nonsense"):
        with pytest.raises(Unauthenticated, match="address"):
            await ask(None, key, Source(bad))


@pytest.mark.parametrize(("resource", "status"), [(ISSUER, 200), (f"{ISSUER}/v1/me", 200), ("https://evil.test", 400)])
async def test_tokens_are_for_this_api_alone(http, partner, resource, status):
    answer = await http.post("/oauth/token", data=fields_of(partner, resource=resource))
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["error"] == "invalid_target"


@pytest.fixture
async def robot(db, identity):
    made = await create_partner(db, identity.hasher, "Robot", environment="sandbox")
    keys = {"keys": [KEY.as_dict(private=False)]}
    await db.fetch(
        "update clients set auth_method = 'private_key_jwt', jwks = $2 where id = $1", (made.client_id, keys)
    )
    return made


def assertion(robot, key=KEY, **change):
    claims = {
        "iss": robot.client_id, "sub": robot.client_id, "aud": ISSUER, "jti": new_id("usr"), "iat": int(time()),
        "exp": int(time()) + 60,
    } | change  # fmt: skip
    return jws.serialize_compact({"alg": "ES256"}, orjson.dumps(claims), key, algorithms=["ES256"])


async def by_assertion(http, text):
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    fields = {"grant_type": "client_credentials", "client_assertion_type": kind, "client_assertion": text}
    return await http.post("/oauth/token", data=fields)


async def test_a_client_proves_itself_by_a_signature_once(http, robot):
    text = assertion(robot)
    assert (await by_assertion(http, text)).status_code == 200
    again = await by_assertion(http, text)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    by_secret = await http.post("/oauth/token", data=fields_of(robot))
    assert by_secret.status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "https://evil.test"},
        {"aud": None},
        {"iss": "cli_other"},
        {"exp": int(time()) - 60},
        {"exp": int(time()) + 86400},
        {"exp": None},
        {"jti": None},
        {"nbf": int(time()) + 600},
        {"key": ECKey.generate_key("P-256")},
    ],
)
async def test_bad_assertions_are_refused(http, robot, change):
    answer = await by_assertion(http, assertion(robot, **change))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_client_with_a_secret_cannot_use_an_assertion(http, partner):
    assert (await by_assertion(http, assertion(partner))).status_code == 401


async def test_what_is_protected_says_by_whom(http):
    body = (await http.get("/.well-known/oauth-protected-resource")).json()
    assert (body["resource"], body["authorization_servers"]) == (ISSUER, [ISSUER])


async def test_a_refusal_leads_to_the_metadata(live):
    import httpx

    async with httpx.AsyncClient(base_url=live.url) as client:
        answer = await client.get("/v1/me")
        assert answer.status_code == 401
        link = f'resource_metadata="{live.url}/.well-known/oauth-protected-resource"'
        assert link in answer.headers["www-authenticate"]


async def test_a_nonce_is_good_for_two_minutes_in_every_process(monkeypatch):
    one, other = checker(), checker()
    nonce = one.nonces.new()
    assert await other.check(proof(nonce=nonce, iat=1), method="GET", url=URL)  # whatever the client's clock says
    for wrong in (nonce[:-1] + ("A" if nonce[-1] != "A" else "B"), "", "ä", None, 7, Nonces(b"another").new()):
        with pytest.raises(NonceNeeded):
            await one.check(proof(nonce=wrong), method="GET", url=URL)
    with pytest.raises(NonceNeeded):
        await one.check(proof(), method="GET", url=URL, needs_nonce=True)
    late = time() + 121
    monkeypatch.setattr("auth.nonces.time", lambda: late)
    with pytest.raises(NonceNeeded):
        await one.check(proof(nonce=nonce), method="GET", url=URL)


async def test_a_client_of_bound_tokens_is_led_to_its_nonce(db, identity, http, partner):
    """RFC 9449 sections 8 and 9: at the token endpoint and at the API; each answer has the next nonce."""
    await db.fetch("update clients set dpop_bound = true where id = $1", (partner.client_id,))
    there = {"htm": "POST", "htu": f"{ISSUER}/oauth/token"}
    asked = await http.post("/oauth/token", data=fields_of(partner), headers={"dpop": proof(**there)})
    assert (asked.status_code, asked.json()["error"]) == (400, "use_dpop_nonce")
    nonce = asked.headers["dpop-nonce"]
    given = await http.post("/oauth/token", data=fields_of(partner), headers={"dpop": proof(**there, nonce=nonce)})
    assert given.status_code == 200, given.text
    token = given.json()["access_token"]
    assert identity.proofs.nonces.issued_at(given.headers["dpop-nonce"])
    bound = {"htu": f"{ISSUER}/v1/me", "ath": ath(token)}
    bare, answered = await admitted(identity, token, proof(**bound))
    assert bare.startswith("DPoP ")
    assert 'error="use_dpop_nonce"' in bare
    assert 'algs="ES256' in bare
    assert identity.proofs.nonces.issued_at(answered)
    assert (await admitted(identity, token, proof(**bound, nonce=answered)))[0] == ""


async def admitted(identity, token, sent):
    """The challenge of the gate, empty where it lets through, and the nonce that goes with its answer."""
    headers = {b"authorization": f"DPoP {token}".encode(), b"dpop": sent.encode()}
    answer_headers: list[tuple[bytes, bytes]] = []
    challenge = ""
    try:
        scope = {"method": "GET", "path": "/v1/me", "client": ("127.0.0.1", 1)}
        await identity.gate().admit(headers, answer_headers, scope)
    except Unauthenticated as refused:
        challenge = refused.challenge
    return challenge, dict(answer_headers)[b"dpop-nonce"].decode()


@pytest.fixture
async def sharing(db, tmp_path):
    """The memories of three processes over one Valkey, which `run_valkey(tmp_path)` starts."""
    processes = [ValkeyReplays(f"unix://{tmp_path}/valkey", db, settling=121, timeout=5) for _ in range(3)]
    yield processes
    for one in processes:
        await one.close()


async def taken(processes, sent):
    """How many of the processes took the proof."""
    outcomes = await asyncio.gather(
        *(checker(one).check(sent, method="GET", url=URL) for one in processes), return_exceptions=True
    )
    assert all(isinstance(one, str | BadProof) for one in outcomes), outcomes
    return sum(isinstance(one, str) for one in outcomes)


async def test_a_proof_passes_once_over_all_processes_whatever_becomes_of_valkey(sharing, tmp_path):
    nonces = checker().nonces
    with run_valkey(tmp_path):
        before = proof(jti="before")
        assert await taken(sharing[:1], before) == 1
        assert await taken(sharing, before) == 0
        assert await taken(sharing, proof(jti="at once")) == 1
        early = proof(jti="early", nonce=nonces.new())
        assert await taken(sharing[:1], early) == 1
    # Away: what was used is not known, so a nonce younger than that is asked for; the database remembers it.
    assert await taken(sharing, before) == 0
    assert await taken(sharing, early) == 0
    assert await taken(sharing, proof(jti="without a nonce")) == 0
    between = proof(jti="between", nonce=nonces.new())
    assert await taken(sharing, between) == 1
    with run_valkey(tmp_path):
        await asyncio.sleep(1.1)
        assert await taken(sharing, between) == 0
        assert await taken(sharing, proof(jti="after", nonce=nonces.new())) == 1


async def test_the_database_takes_a_name_once(db):
    replays = DatabaseReplays(db)
    outcomes = await asyncio.gather(*(replays.first_use(b"a name", 60) for _ in range(5)))
    assert sorted(outcomes) == [False] * 4 + [True]
