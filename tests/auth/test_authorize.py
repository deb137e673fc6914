"""The authorization code from outside: RFC 6749 section 4.1, 7636, 9207, and the list of RFC 9700, a test each."""

import asyncio
import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import orjson
import pytest
from joserfc import jws
from starlette.applications import Starlette

from auth.errors import Unauthenticated
from auth.oauth.endpoints import routes
from db.ids import new_id
from db.tables.storefronts import Storefront
from tests.auth.conftest import ISSUER
from tests.auth.flow import BACK, answer_of, form_of, new_creator, new_site, scopes_in


@pytest.fixture
def app(identity):
    return Starlette(routes=routes(identity))


@pytest.fixture
async def creator(identity, app):
    found = await new_creator(identity, app)
    async with found.browser:
        yield found


@pytest.fixture
async def site(identity, http):
    return await new_site(identity, http)


def claims_of(token):
    return orjson.loads(jws.extract_compact(token.encode()).payload)


async def viewer(identity, token):
    return await identity.authenticator.authenticate(f"Bearer {token}", None)


async def refused(identity, token):
    with pytest.raises(Unauthenticated):
        await viewer(identity, token)
    return True


async def test_a_creator_signs_in_allows_and_the_partner_gets_a_token(identity, site, creator):
    page = await creator.consent_page(site.link())
    assert page.status_code == 200
    assert "Lookbook" in page.text
    assert "See your storefronts and products" in page.text
    assert scopes_in(page.text) == ["profile:read", "storefronts:read"]
    answer = await creator.decide(page)
    assert answer.headers["location"].startswith(BACK + "?")
    back = answer_of(answer)
    assert (back["state"], back["iss"]) == ("st4te", ISSUER)
    token = await site.exchange(back["code"])
    assert token.status_code == 200, token.text
    body = token.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
    assert body["scope"] == "profile:read storefronts:read"
    found = await viewer(identity, body["access_token"])
    assert (found.user_id, found.client_id) == (creator.account.user_id, site.partner.client_id)
    assert found.storefront_ids is None


async def storefront_of(db, creator):
    now = datetime.now(UTC)
    row = Storefront(
        id=new_id("sf"), owner_id=creator.account.user_id, handle=f"@s-{new_id('usr')[-8:].lower()}", name="Atelier",
        created_at=now, updated_at=now,
    )  # fmt: skip
    async with db.write() as session:
        session.add(row)
    return row.id


async def test_the_creator_narrows_scopes_and_storefronts(db, identity, site, creator):
    kept, other = await storefront_of(db, creator), await storefront_of(db, creator)
    page = await creator.consent_page(site.link())
    assert kept in page.text
    assert other in page.text
    foreign = new_id("sf")
    answer = await creator.decide(
        page, scopes=["profile:read", "orders:write"], which="some", storefronts=[kept, foreign]
    )
    body = (await site.exchange(answer_of(answer)["code"])).json()
    assert body["scope"] == "profile:read"
    assert (await viewer(identity, body["access_token"])).storefront_ids == {kept}
    again = (await site.refresh(body["refresh_token"])).json()
    assert (await viewer(identity, again["access_token"])).storefront_ids == {kept}


async def test_consent_is_remembered_and_asked_again_for_more(site, creator):
    await creator.allow(site)
    again = await creator.browser.get(site.link())
    assert answer_of(again)["code"]
    more = await creator.browser.get(site.link(scope="profile:read orders:read"))
    assert more.status_code == 200
    assert (await creator.browser.get(site.link(prompt="consent"))).status_code == 200


async def test_narrowing_later_voids_what_was_given_before(identity, site, creator):
    first = (await site.exchange(await creator.allow(site))).json()
    page = await creator.browser.get(site.link(prompt="consent"))
    await creator.decide(page, scopes=["profile:read"])
    assert await refused(identity, first["access_token"])


async def test_withdrawal_stops_every_token(identity, site, creator):
    body = (await site.exchange(await creator.allow(site))).json()
    await viewer(identity, body["access_token"])
    page = await creator.browser.get("/oauth/consents")
    assert "Lookbook" in page.text
    action, fields = form_of(page.text, 1)
    done = await creator.browser.post(action, data=fields)
    assert "Access withdrawn" in done.text
    assert "Lookbook" not in done.text
    assert await refused(identity, body["access_token"])
    assert (await site.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await creator.browser.get(site.link())).status_code == 200


async def test_denying_sends_access_denied_back(site, creator):
    page = await creator.consent_page(site.link())
    back = answer_of(await creator.decide(page, decision="deny"))
    assert (back["error"], back["state"], back["iss"]) == ("access_denied", "st4te", ISSUER)


async def test_allowing_nothing_is_asked_again(site, creator):
    page = await creator.decide(await creator.consent_page(site.link()), scopes=[])
    assert page.status_code == 200
    assert "Tick at least one" in page.text


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"scope": "platform:read"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
    ],
)
async def test_faults_go_back_to_the_partner(site, creator, change, error):
    back = answer_of(await creator.browser.get(site.link(**change)))
    assert (back["error"], back["state"], back["iss"]) == (error, "st4te", ISSUER)


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "cli_01JD3T8Q5YB9N7K0V2M4XWZC6R"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://partner.test/back/"},
        {"redirect_uri": "https://partner.test/back?x=1"},
        {"redirect_uri": "https://partner.test/BACK"},
        {"redirect_uri": "https://partner.test.evil.test/back"},
        {"redirect_uri": "https://partner.test@evil.test/back"},
        {"redirect_uri": "https://partner.test:443/back"},
        {"redirect_uri": "http://partner.test/back"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "https://partner.test/back#x"},
        {"redirect_uri": "https://partner.test/back/../evil"},
        {"request": "eyJhbGciOiJub25lIn0.e30."},
        {"request_uri": "https://evil.test/request"},
    ],
)
async def test_there_is_no_redirect_to_what_is_not_registered(site, creator, change):
    answer = await creator.browser.get(site.link(**change))
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "<h1>" in answer.text


async def test_parameters_sent_twice_are_refused(site, creator):
    answer = await creator.browser.get(site.link() + "&redirect_uri=https://evil.test/")
    assert answer.status_code == 400


async def test_the_port_of_a_loopback_address_is_free(identity, http, creator):
    app_site = await new_site(identity, http, redirect_uris=("http://127.0.0.1/back", "com.example.app:/back"))
    assert (await creator.consent_page(app_site.link(redirect_uri="http://127.0.0.1:53123/back"))).status_code == 200
    assert (await creator.browser.get(app_site.link(redirect_uri="com.example.app:/back"))).status_code == 200
    for bad in ("http://127.0.0.1:53123/other", "http://127.0.0.2/back", "http://localhost:53123/back"):
        assert (await creator.browser.get(app_site.link(redirect_uri=bad))).status_code == 400


async def test_a_code_works_once_and_a_replay_voids_what_it_gave(identity, site, creator):
    code = await creator.allow(site)
    body = (await site.exchange(code)).json()
    await viewer(identity, body["access_token"])
    replay = await site.exchange(code)
    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    await identity.revocations.refresh()
    assert await refused(identity, body["access_token"])
    assert (await site.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"


async def test_of_many_exchanges_at_once_one_succeeds(site, creator):
    code = await creator.allow(site)
    answers = await asyncio.gather(*(site.exchange(code) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400, 400]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": "x" * 50}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"redirect_uri": "https://partner.test/other"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"code": "fsc_test_nonsense"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_secret": None}, "invalid_client"),
    ],
)
async def test_a_code_is_bound_to_client_redirect_and_challenge(site, creator, change, error):
    code = await creator.allow(site)
    answer = await site.exchange(**({"code": code} | change))
    assert answer.json()["error"] == error


async def test_a_stolen_code_is_of_no_use_to_another_client(identity, http, site, creator):
    thief = await new_site(identity, http)
    thief.verifier = site.verifier
    code = await creator.allow(site)
    assert (await thief.exchange(code)).json()["error"] == "invalid_grant"
    assert (await site.exchange(code)).status_code == 200


async def test_a_code_lives_sixty_seconds(db, site, creator):
    code = await creator.allow(site)
    await db.fetch("update authorizations set code_expires_at = code_expires_at - interval '61 s'")
    assert (await site.exchange(code)).json()["error"] == "invalid_grant"


async def test_the_pages_cannot_be_framed_cached_or_scripted(site, creator):
    for page in (await creator.browser.get(site.link()), await creator.consent_page(site.link())):
        policy = page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["cache-control"] == "no-store"
        assert set(re.findall(r"<script[^>]*>", page.text)) <= {'<script src="/oauth/passkeys.js" defer>'}
        allowed = re.findall(r"script-src ([^;]*)", policy)
        assert allowed in ([], [f"{ISSUER}/oauth/passkeys.js"])
    cookie = page.headers["set-cookie"]
    assert cookie.startswith("__Host-fsh_session=")
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in cookie


async def test_a_form_of_another_site_is_refused(app, site, creator):
    page = await creator.consent_page(site.link())
    action, fields = form_of(page.text)
    allow = fields | {"decision": "allow", "scope": "profile:read", "which": "all"}
    assert (await creator.browser.post(action, data=allow | {"csrf": "0" * 64})).status_code == 403
    assert (await creator.browser.post(action, data=allow | {"csrf": ""})).status_code == 403
    foreign = {"origin": "https://evil.test"}
    assert (await creator.browser.post(action, data=allow, headers=foreign)).status_code == 403
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER) as elsewhere:
        answer = await elsewhere.post(action, data=allow)
        assert "location" not in answer.headers


async def test_signing_in_leads_to_our_own_pages_alone(creator):
    page = await creator.browser.get("/oauth/sign-in")
    action, fields = form_of(page.text)
    for evil in ("https://evil.test", "//evil.test", "/\\evil.test", "/oauth/authorize?\\", "/oauth/authorize@evil"):
        sent = fields | {"return_to": evil, "email": creator.email, "password": "correct horse battery"}
        answer = await creator.browser.post(action, data=sent)
        assert answer.headers["location"] == "/oauth/consents"
        page = await creator.browser.get("/oauth/sign-in")
        action, fields = form_of(page.text)


async def test_wrong_passwords_and_unknown_addresses_look_the_same_and_are_limited(identity, app, site):
    creator = await new_creator(identity, app)
    wrong = await creator.sign_in("/oauth/sign-in", password="not it, sorry")
    assert wrong.status_code == 401
    known, creator.email = creator.email, "nobody@studio.test"
    unknown = await creator.sign_in("/oauth/sign-in", password="not it, sorry")
    assert unknown.status_code == 401
    assert re.findall(r'role="alert"[^>]*>(.*?)<', wrong.text) == re.findall(r'role="alert"[^>]*>(.*?)<', unknown.text)
    creator.email = known
    codes = [(await creator.sign_in("/oauth/sign-in", password="nope nope")).status_code for _ in range(11)]
    assert codes[-1] == 429
    await creator.browser.aclose()


async def test_names_are_escaped(db, identity, site, creator):
    await db.fetch("update clients set name = '<img src=x>' where id = $1", (site.partner.client_id,))
    page = await creator.consent_page(site.link())
    assert "<img" not in page.text


async def test_a_public_client_needs_no_secret_and_is_asked_each_time(db, site, creator):
    await db.fetch("update clients set auth_method = 'none' where id = $1", (site.partner.client_id,))
    code = await creator.allow(site)
    body = await site.exchange(code, client_secret=None)
    assert body.status_code == 200
    assert (await creator.browser.get(site.link())).status_code == 200
    alone = await site.post(grant_type="client_credentials", client_secret=None)
    assert alone.json()["error"] == "invalid_client"


async def test_a_pushed_request_is_answered_once(site, creator):
    fields = dict(
        pair.split("=") for pair in urlsplit(site.link(scope="profile:read", redirect_uri=BACK)).query.split("&")
    )
    pushed = await site.post(
        "/oauth/par",
        **(fields | {"redirect_uri": BACK, "scope": "profile:read", "code_challenge": fields["code_challenge"]}),
    )
    assert pushed.status_code == 201, pushed.text
    assert pushed.json()["expires_in"] == 90
    link = f"/oauth/authorize?client_id={site.partner.client_id}&request_uri={pushed.json()['request_uri']}"
    page = await creator.consent_page(link)
    assert scopes_in(page.text) == ["profile:read"]
    back = answer_of(await creator.decide(page))
    assert (await site.exchange(back["code"])).json()["scope"] == "profile:read"
    assert (await creator.browser.get(link)).status_code == 400


async def test_a_bad_request_cannot_be_pushed(site):
    refused = await site.post("/oauth/par", response_type="code", redirect_uri="https://evil.test/")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    assert (await site.post("/oauth/par", client_secret="x", response_type="code")).status_code == 401


async def test_introspection_tells_a_client_of_its_own_tokens(identity, http, site, creator):
    body = (await site.exchange(await creator.allow(site))).json()
    found = (await site.post("/oauth/introspect", token=body["access_token"])).json()
    assert found["active"] is True
    assert found["sub"] == creator.account.user_id
    assert found["scope"] == body["scope"]
    assert (await site.post("/oauth/introspect", token=body["refresh_token"])).json()["active"] is True
    stranger = await new_site(identity, http)
    assert (await stranger.post("/oauth/introspect", token=body["access_token"])).json() == {"active": False}
    assert (await site.post("/oauth/introspect", token="nonsense")).json() == {"active": False}
    assert (await site.post("/oauth/introspect", token=body["access_token"], client_secret="x")).status_code == 401
    assert (await site.post("/oauth/introspect")).json()["error"] == "invalid_request"


async def test_revocation_voids_a_token_or_its_family(identity, http, site, creator):
    body = (await site.exchange(await creator.allow(site))).json()
    stranger = await new_site(identity, http)
    assert (await stranger.post("/oauth/revoke", token=body["access_token"])).status_code == 200
    await viewer(identity, body["access_token"])
    assert (await site.post("/oauth/revoke", token=body["access_token"])).status_code == 200
    assert await refused(identity, body["access_token"])
    assert (await site.post("/oauth/introspect", token=body["access_token"])).json() == {"active": False}
    second = (await site.refresh(body["refresh_token"])).json()
    await viewer(identity, second["access_token"])
    assert (await site.post("/oauth/revoke", token=second["refresh_token"])).status_code == 200
    assert await refused(identity, second["access_token"])
    assert (await site.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await site.post("/oauth/revoke", token="nonsense")).status_code == 200
    hint = await site.post("/oauth/revoke", token="x", token_type_hint="cookie")
    assert hint.json()["error"] == "unsupported_token_type"
