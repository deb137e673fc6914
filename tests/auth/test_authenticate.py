"""Credentials become viewers: tokens, API keys, refusals, revocation, rotation."""

import asyncio
import base64
import hmac
from time import perf_counter, time

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from auth.errors import Unauthenticated
from auth.partners import create_partner
from auth.secrets import Hasher, new_secret
from auth.signing_keys import SigningKeys, WrongServerSecret
from tests.auth.conftest import ISSUER, SECRET, open_identity


@pytest.fixture
def token(identity, partner):
    return identity.tokens.issue(user_id=partner.user_id, client_id=partner.client_id, scope="profile:read")


async def refusal(identity, authorization=None, api_key=None):
    with pytest.raises(Unauthenticated) as caught:
        await identity.authenticator.authenticate(authorization, api_key)
    return caught.value


async def test_a_token_becomes_a_viewer_and_is_remembered(identity, partner, token):
    assert identity.authenticator.cached(token) is None
    viewer = await identity.authenticator.authenticate(f"bearer {token}", None)
    assert (viewer.user_id, viewer.client_id) == (partner.user_id, partner.client_id)
    assert viewer.organization_id == partner.organization_id
    assert viewer.scopes == {"profile:read"}
    assert identity.authenticator.cached(token) is viewer


@pytest.mark.parametrize("way", ["bearer", "header"])
async def test_an_api_key_becomes_a_viewer(identity, partner, way):
    sent = (f"Bearer {partner.api_key}", None) if way == "bearer" else (None, partner.api_key)
    viewer = await identity.authenticator.authenticate(*sent)
    assert (viewer.user_id, viewer.kind) == (partner.user_id, "api_key")
    assert "storefronts:write" in viewer.scopes


async def test_production_refuses_api_keys_and_says_why(db, partner):
    production = await open_identity(db, "production")
    try:
        error = await refusal(production, None, partner.api_key)
        assert (error.error, "sandbox" in error.message) == ("invalid_token", True)
        assert (await refusal(production, f"Bearer {partner.api_key}")).error == "invalid_token"
    finally:
        await production.close()


async def test_what_is_not_good_is_refused_by_its_own_words(identity, partner, token):
    cases = [
        ((None, None), ""),
        ((f"Bearer {token}", partner.api_key), "invalid_request"),
        (("Basic abc", None), "invalid_request"),
        (("Bearer", None), "invalid_request"),
        (("Bearer x", None), "invalid_token"),
        ((None, token), "invalid_token"),
        ((None, new_secret("api_key", "sandbox")), "invalid_token"),
        ((f"Bearer {token[:-8]}AAAAAAAA", None), "invalid_token"),
    ]
    for sent, error in cases:
        assert (await refusal(identity, *sent)).error == error, sent
        assert '"' not in (await refusal(identity, *sent)).message


def forged(identity, key, *, header=None, payload=None, algorithm="RS256"):
    claims = {
        "iss": ISSUER, "aud": ISSUER, "sub": "usr_x", "client_id": "cli_x", "scope": "", "jti": "j",
        "iat": int(time()), "exp": int(time()) + 60,
    }  # fmt: skip
    full = {"alg": algorithm, "typ": "at+jwt", "kid": identity.keys.current.kid} | (header or {})
    return jws.serialize_compact(full, orjson.dumps(claims | (payload or {})), key, algorithms=[algorithm])


def signed_with_the_public_key(identity):
    """The old confusion of algorithms: the public key, which everybody has, taken as an HMAC secret."""
    current = identity.keys.current
    header = {"alg": "HS256", "typ": "at+jwt", "kid": current.kid}
    payload = forged(identity, current.pair).split(".")[1]
    start = base64.urlsafe_b64encode(orjson.dumps(header)).rstrip(b"=").decode() + "." + payload
    mac = hmac.digest(current.pair.as_pem(private=False), start.encode(), "sha256")
    return start + "." + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


async def test_forged_tokens_are_refused(identity):
    current, stranger = identity.keys.current, RSAKey.generate_key(2048)
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt","kid":"%s"}' % current.kid.encode()).rstrip(b"=")
    forgeries = [
        forged(identity, stranger),
        forged(identity, stranger, header={"kid": "unknown"}),
        signed_with_the_public_key(identity),
        unsigned.decode() + "." + base64.urlsafe_b64encode(b"{}").rstrip(b"=").decode() + ".",
        forged(identity, current.pair, header={"typ": "JWT"}),
        forged(identity, current.pair, header={"typ": "logout+jwt"}),
        forged(identity, current.pair, algorithm="RS512"),
        forged(identity, current.pair, header={"jwk": stranger.as_dict(private=False)}),
        forged(identity, current.pair, payload={"iss": "https://elsewhere.test"}),
        forged(identity, current.pair, payload={"aud": "https://elsewhere.test"}),
        forged(identity, current.pair, payload={"aud": []}),
        forged(identity, current.pair, payload={"exp": int(time()) - 1}),
        forged(identity, current.pair, payload={"exp": True}),
        forged(identity, current.pair, payload={"exp": "9999999999"}),
        forged(identity, current.pair, payload={"iat": int(time()) + 600}),
        forged(identity, current.pair, payload={"sub": None}),
        forged(identity, current.pair),  # signed by us, but of a client that does not exist
    ]
    for token in forgeries:
        assert (await refusal(identity, f"Bearer {token}")).error == "invalid_token", token


async def test_a_revoked_token_is_refused_here_at_once_and_elsewhere_within_seconds(db, identity, partner, token):
    other = await open_identity(db)
    try:
        for one in (identity, other):
            viewer = await one.authenticator.authenticate(f"Bearer {token}", None)
        await identity.revocations.revoke("token", viewer.token_id, seconds=60)
        assert (await refusal(identity, f"Bearer {token}")).error == "invalid_token"
        async with asyncio.timeout(5):
            while other.authenticator.cached(token) is not None:  # noqa: ASYNC110 - seen from outside
                await asyncio.sleep(0.05)
        assert (await refusal(other, f"Bearer {token}")).error == "invalid_token"
    finally:
        await other.close()


async def test_a_revoked_client_loses_old_tokens_and_keeps_new_ones(identity, partner, token):
    await identity.authenticator.authenticate(f"Bearer {token}", None)
    await identity.revocations.revoke("client", partner.client_id, seconds=60)
    assert (await refusal(identity, f"Bearer {token}")).error == "invalid_token"
    await asyncio.sleep(1.1)
    fresh = identity.tokens.issue(user_id=partner.user_id, client_id=partner.client_id, scope="")
    assert await identity.authenticator.authenticate(f"Bearer {fresh}", None)


async def test_revoked_families_and_keys_are_refused(db, identity, partner):
    member = identity.tokens.issue(user_id=partner.user_id, client_id=partner.client_id, scope="", family="grant_1")
    await identity.authenticator.authenticate(f"Bearer {member}", None)
    await identity.revocations.revoke("family", "grant_1", seconds=60)
    assert (await refusal(identity, f"Bearer {member}")).error == "invalid_token"
    viewer = await identity.authenticator.authenticate(None, partner.api_key)
    await identity.revocations.revoke("key", viewer.token_id, seconds=60)
    assert (await refusal(identity, None, partner.api_key)).error == "invalid_token"


async def test_remembered_viewers_cost_no_statement_and_no_time(db, identity, token):
    from db.sessions import statements_sent

    await identity.authenticator.authenticate(f"Bearer {token}", None)
    counter = [0]
    reset = statements_sent.set(counter)
    rounds = []
    for _ in range(10):  # the quickest: the machine has other work, too
        started = perf_counter()
        for _ in range(1_000):
            identity.authenticator.cached(token)
        rounds.append(perf_counter() - started)
    each = min(rounds) / 1_000
    statements_sent.reset(reset)
    assert counter == [0]
    assert each < 60e-6


async def test_the_memory_of_viewers_is_bounded(identity, partner, monkeypatch):
    monkeypatch.setattr("auth.authenticate.REMEMBERED_VIEWERS", 10)
    issue = identity.tokens.issue
    tokens = [issue(user_id=partner.user_id, client_id=partner.client_id, scope="") for _ in range(40)]
    for one in tokens:
        await identity.authenticator.authenticate(f"Bearer {one}", None)
    known = [one for one in tokens if identity.authenticator.cached(one)]
    assert tokens[-1] in known
    assert len(known) <= 20


async def test_keys_rotate_without_breaking_live_tokens(db, dsn, token):
    one, other = await open_identity(db), await open_identity(db)
    try:
        old = one.keys.current.kid
        new = await one.rotate_keys()
        assert new != old
        fresh = one.tokens.issue(user_id="usr_x", client_id="cli_x", scope="")
        assert (await one.tokens.verify(token)).token_id
        await asyncio.sleep(1.1)  # the other process looks again at most once a second
        assert (await other.tokens.verify(fresh)).token_id
        assert (await other.tokens.verify(token)).token_id
        assert [key["kid"] for key in other.keys.jwks()["keys"]][:2] == [new, old]
        await db.fetch("update signing_keys set verifies_until = now() - interval '1 s' where kid = $1", (old,))
        await one.keys.load()
        with pytest.raises(Unauthenticated):
            await one.tokens.verify(token)
    finally:
        await db.fetch("update signing_keys set verifies_until = now() + interval '1 h' where kid = $1", (old,))
        await one.close()
        await other.close()


async def test_unknown_kids_do_not_hammer_the_database(identity, monkeypatch):
    loads, read = [], SigningKeys._read

    async def counted(self):
        loads.append(1)
        await read(self)

    monkeypatch.setattr(SigningKeys, "_read", counted)
    started = perf_counter()
    await asyncio.gather(*(identity.keys.find(f"kid{n}") for n in range(500)))
    assert len(loads) <= 1 + (perf_counter() - started)  # one a second, on however busy a machine


async def test_another_server_secret_is_told_clearly(db):
    with pytest.raises(WrongServerSecret, match="FSHNISTA_SECRET"):
        await SigningKeys.open(db, Hasher(SECRET + b"x"), token_seconds=3600)


async def test_two_processes_that_start_at_once_agree_on_one_key(db, identity):
    opened = await asyncio.gather(*(SigningKeys.open(db, Hasher(SECRET), token_seconds=3600) for _ in range(3)))
    assert len({keys.current.kid for keys in opened}) == 1


async def test_last_use_is_noted(db, identity, partner):
    await identity.authenticator.authenticate(None, partner.api_key)
    await identity.usage.write()
    assert await db.fetch_value("select last_used_at from api_keys where client_id = $1", (partner.client_id,))


async def test_a_key_with_scopes_of_its_own_is_held_to_them(db, identity, partner):
    await db.fetch(
        "update api_keys set scopes = '{profile:read,platform:read}' where client_id = $1", (partner.client_id,)
    )
    viewer = await identity.authenticator.authenticate(None, partner.api_key)
    assert viewer.scopes == {"profile:read"}


async def test_partners_with_the_same_name_are_told_apart(db, identity):
    made = [await create_partner(db, identity.hasher, "Éclat & Co", environment="sandbox") for _ in range(3)]
    assert len({one.handle for one in made}) == 3
    assert all(one.handle.startswith("@eclat-co-") for one in made)
    assert (await create_partner(db, identity.hasher, "Live", environment="production")).api_key is None
