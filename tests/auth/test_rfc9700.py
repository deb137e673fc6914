"""RFC 9700, the best current practice: a test for each attack of its section 4 that the other files do not have.

| section | held by |
|---|---|
| 4.1 redirect URIs | test_authorize: test_there_is_no_redirect_to_what_is_not_registered, test_the_port_of_a_loopback_address_is_free |
| 4.5 injected codes | test_authorize: test_a_code_is_bound_to_client_redirect_and_challenge |
| 4.8 downgrades of PKCE | test_authorize: test_faults_go_back_to_the_partner |
| 4.6 tokens in redirects | test_authorize: test_faults_go_back_to_the_partner (no response type but code) |
| 4.10 stolen tokens | test_proofs: test_a_token_bound_to_a_key_is_of_no_use_without_it |
| 4.14 refresh tokens | test_refresh: test_any_course_of_refreshes_is_as_the_model_says; here for public clients |
| 4.16 clickjacking | test_pages_in_browser: test_the_pages_are_never_framed |
| 2.4 passwords of others | test_token_endpoint: test_refusals_are_those_of_rfc_6749 (no grant type password) |
"""

from time import time

import pytest
from joserfc.jwk import ECKey

from auth.source import Source
from tests.auth.conftest import ISSUER
from tests.auth.flow import BACK, answer_of, form_of
from tests.auth.test_authorize import app as app
from tests.auth.test_authorize import claims_of, refused
from tests.auth.test_authorize import creator as creator
from tests.auth.test_authorize import site as site
from tests.auth.test_proofs import KEY, proof


async def test_4_2_the_pages_send_no_address_to_others(site, creator):
    """Nor do they load anything that could see one."""
    for page in (await creator.browser.get(site.link()), await creator.consent_page(site.link())):
        assert page.headers["referrer-policy"] == "same-origin"
        assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_4_3_a_token_in_an_address_is_no_token(live, partner):
    import httpx

    token = live.parts.identity.tokens.issue(user_id=partner.user_id, client_id=partner.client_id, scope="profile:read")
    async with httpx.AsyncClient(base_url=live.url) as api:
        assert (await api.get("/v1/me", params={"access_token": token})).status_code == 401
        assert (await api.get("/v1/me", headers={"authorization": f"Bearer {token}"})).status_code == 200


async def test_4_3_no_answer_of_the_authorization_endpoint_has_a_token(site, creator):
    back = answer_of(await creator.decide(await creator.consent_page(site.link())))
    assert set(back) == {"code", "state", "iss"}


async def test_4_4_every_answer_says_who_gives_it(site, creator):
    allowed = answer_of(await creator.decide(await creator.consent_page(site.link())))
    denied = answer_of(await creator.decide(await creator.browser.get(site.link(prompt="consent")), decision="deny"))
    wrong = answer_of(await creator.browser.get(site.link(scope="nonsense")))
    assert {answer["iss"] for answer in (allowed, denied, wrong)} == {ISSUER}


async def test_4_7_state_comes_back_as_it_was_sent(site, creator):
    state = "a b&c=d?%2F#é\u202e"
    page = await creator.consent_page(site.link(state=state))
    assert answer_of(await creator.decide(page))["state"] == state


async def test_4_9_a_token_for_another_audience_is_refused(identity, partner):
    elsewhere = type(identity.tokens)(identity.keys, issuer=ISSUER, audience="https://other.test")
    token = elsewhere.issue(user_id=partner.user_id, client_id=partner.client_id, scope="profile:read")
    assert await refused(identity, token)


async def test_4_11_who_registered_himself_is_no_open_redirector(db, site, creator):
    """A link of his with a fault shows our page first, where a partner's leads straight back."""
    link = site.link(scope="nonsense")
    assert answer_of(await creator.browser.get(link))["error"] == "invalid_scope"
    await db.fetch(
        "update clients set registration_hash = $2 where id = $1",
        (site.partner.client_id, site.partner.client_id.encode()),
    )
    page = await creator.browser.get(link)
    assert (page.status_code, "location" in page.headers) == (200, False)
    signed_in = await creator.sign_in(link)
    assert answer_of(await creator.browser.get(signed_in.headers["location"]))["error"] == "invalid_scope"


async def test_4_12_no_redirect_repeats_a_form(site, creator):
    """303 alone: a browser would send the password on with 307."""
    assert (await creator.sign_in(site.link())).status_code == 303
    assert (await creator.decide(await creator.browser.get(site.link()))).status_code == 303
    action, fields = form_of((await creator.browser.get("/oauth/consents")).text, 0)
    assert (await creator.browser.post(action, data=fields)).status_code == 303


async def test_4_13_nobody_says_himself_where_he_comes_from(http, db, partner):
    """Headers of proxies are the server's to read, from proxies that it is told of; identity goes by the connection."""
    await db.fetch("update clients set allowed_addresses = '{192.0.2.1}' where id = $1", (partner.client_id,))
    fields = {
        "grant_type": "client_credentials",
        "client_id": partner.client_id,
        "client_secret": partner.client_secret,
    }
    for name in ("x-forwarded-for", "forwarded", "x-real-ip", "client-ip"):
        answer = await http.post(
            "/oauth/token", data=fields, headers={name: "for=192.0.2.1" if name == "forwarded" else "192.0.2.1"}
        )
        assert answer.json()["error"] == "unauthorized_client"


async def test_4_14_a_public_clients_refresh_token_is_of_use_to_its_key_alone(db, site, creator):
    await db.fetch("update clients set auth_method = 'none' where id = $1", (site.partner.client_id,))
    there = {"htm": "POST", "htu": f"{ISSUER}/oauth/token"}

    async def post(key, **fields):
        sent = {"client_id": site.partner.client_id, **fields}
        headers = {} if key is None else {"dpop": proof(key, **there)}
        return await site.http.post("/oauth/token", data=sent, headers=headers)

    code = await creator.allow(site)
    first = await post(KEY, grant_type="authorization_code", code=code, redirect_uri=BACK, code_verifier=site.verifier)
    assert first.json()["token_type"] == "DPoP"
    refresh = {"grant_type": "refresh_token", "refresh_token": first.json()["refresh_token"]}
    for thief in (None, ECKey.generate_key("P-256")):
        assert (await post(thief, **refresh)).json()["error"] == "invalid_dpop_proof"
    assert (await post(KEY, **refresh)).status_code == 200


async def test_4_15_a_client_is_never_taken_for_a_person(http, identity, partner):
    """A client's own token acts as its organisation's user; no client chooses its id, which no user could have."""
    fields = {
        "grant_type": "client_credentials",
        "client_id": partner.client_id,
        "client_secret": partner.client_secret,
    }
    claims = claims_of((await http.post("/oauth/token", data=fields)).json()["access_token"])
    assert (claims["sub"], claims["client_id"]) == (partner.user_id, partner.client_id)
    wanted = {"client_id": partner.user_id, "client_name": "Me"}
    made = await http.post("/oauth/register", json=wanted, headers={"x-api-key": partner.api_key})
    assert made.status_code == 201, made.text
    assert made.json()["client_id"].startswith("cli_")


async def test_4_17_a_message_to_another_window_is_never_sent(http):
    """No response mode but the query, so nothing is posted to a window that might be anybody's."""
    known = (await http.get("/.well-known/oauth-authorization-server")).json()
    assert known["response_modes_supported"] == ["query"]
    assert "postMessage" not in (await http.get("/oauth/passkeys.js")).text


async def test_2_2_1_a_sender_must_hold_the_key_at_every_request(identity, http, partner):
    sent = {"dpop": proof(htm="POST", htu=f"{ISSUER}/oauth/token")}
    fields = {
        "grant_type": "client_credentials",
        "client_id": partner.client_id,
        "client_secret": partner.client_secret,
    }
    token = (await http.post("/oauth/token", data=fields, headers=sent)).json()["access_token"]
    assert claims_of(token)["cnf"] == {"jkt": KEY.thumbprint()}
    assert claims_of(token)["exp"] - time() <= 3600
    from auth.errors import Unauthenticated

    with pytest.raises(Unauthenticated):
        await identity.authenticator.authenticate(f"Bearer {token}", None, Source("", "GET", "/v1/me"))


def test_the_table_above_names_tests_that_are_there():
    import re
    from pathlib import Path

    table = re.findall(r"\| (test_\w+): ([^|]*?)(?: \(|;| \|)", __doc__)
    assert len(table) == 8
    for file, names in table:
        text = Path(__file__).with_name(f"{file}.py").read_text()
        assert [name for name in names.split(", ") if f"def {name}(" not in text] == []
