"""Passkeys in a real Chromium, whose authenticator is a virtual one; and what is refused of them."""

import base64

import orjson
import pytest
from playwright.async_api import expect

from auth.alarms import Alarms
from auth.partners import create_creator
from auth.passkeys import Owner, Passkeys, WrongPasskey
from auth.replays import ProcessReplays
from db.ids import new_id
from tests.auth.conftest import serving
from tests.auth.flow import PASSWORD, form_of
from tests.browser import chromium as chromium

AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture(scope="session")
async def named(db, platform):
    async with serving(db, platform, "localhost") as found:
        yield found


@pytest.fixture
async def account(db):
    handle = f"@k-{new_id('usr')[-8:].lower()}"
    return await create_creator(db, handle, email=f"{handle[1:]}@k.test", password=PASSWORD)


@pytest.fixture
async def tab(chromium):
    """A page, and the DevTools session that has its authenticator."""
    context = await chromium.new_context()
    page = await context.new_page()
    devtools = await context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    added = await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.devtools, page.authenticator = devtools, added["authenticatorId"]
    yield page
    await context.close()


async def sign_in(page, url, account):
    await page.goto(f"{url}/oauth/consents")
    await page.get_by_label("E-mail").fill(f"{account.handle[1:]}@k.test")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Passkeys")).to_be_visible()


async def add(page, name, password=PASSWORD):
    await page.get_by_label("Name of the new passkey").fill(name)
    await page.get_by_label("Your password, once more").fill(password)
    await page.get_by_role("button", name="Add a passkey").click()


async def sign_out(page):
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def actions_of(db, user_id):
    rows = await db.fetch("select * from audit_entries where chain = $1 order by number", (user_id,))
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["action"] for row in rows]


@pytest.mark.browser
async def test_a_creator_adds_signs_in_by_and_removes_a_passkey(db, named, account, tab):
    failures = []
    tab.on("pageerror", lambda error: failures.append(str(error)))
    tab.on("console", lambda message: failures.append(message.text) if message.type == "error" else None)
    await sign_in(tab, named.url, account)
    await add(tab, "My laptop", password="not this one")
    await expect(tab.get_by_role("alert").first).to_contain_text("not your password")
    assert failures.pop().startswith("Failed to load resource")  # the browser's own words for the 400
    await add(tab, "My laptop")
    await expect(tab.get_by_role("status")).to_contain_text("Passkey added")
    await sign_out(tab)
    await tab.get_by_role("button", name="Sign in with a passkey").click()
    await expect(tab.get_by_role("heading", name="Connected partners")).to_be_visible()
    await expect(tab.get_by_text(account.handle)).to_be_visible()
    await expect(tab.get_by_text("My laptop, since")).to_contain_text("last used")
    # The device knows that it has one for this account.
    await add(tab, "Again")
    await expect(tab.get_by_text("has a passkey for your account already")).to_be_visible()
    # A copy of the key that lags behind is found out.
    await db.fetch("update passkeys set counter = 1000 where user_id = $1", (account.user_id,))
    await sign_out(tab)
    await tab.get_by_role("button", name="Sign in with a passkey").click()
    await expect(tab.get_by_text("Somebody may have a copy")).to_be_visible()
    assert failures.pop().startswith("Failed to load resource")
    await sign_in(tab, named.url, account)
    await tab.get_by_role("button", name="Remove passkey My laptop").click()
    await expect(tab.get_by_role("status")).to_contain_text("Passkey removed")
    await sign_out(tab)
    await tab.get_by_role("button", name="Sign in with a passkey").click()
    await expect(tab.get_by_text("not known here")).to_be_visible()
    assert failures.pop().startswith("Failed to load resource")
    assert failures == []
    await named.parts.identity.alarms.settled()
    assert await actions_of(db, account.user_id) == ["passkey.added", "passkey.refused", "passkey.removed"]


@pytest.mark.browser
async def test_who_does_not_verify_the_person_signs_nobody_in(named, account, tab):
    await sign_in(tab, named.url, account)
    await add(tab, "Phone")
    await sign_out(tab)
    await tab.devtools.send("WebAuthn.setUserVerified", {"authenticatorId": tab.authenticator, "isUserVerified": False})
    await tab.get_by_role("button", name="Sign in with a passkey").click()
    await expect(tab.get_by_text("No passkey was used")).to_be_visible()


@pytest.mark.browser
async def test_an_answer_is_of_one_browser_and_of_use_once(named, account, tab, chromium):
    """What the script sends is caught on its way, and sent again, and from elsewhere."""
    await sign_in(tab, named.url, account)
    await add(tab, "Phone")
    await sign_out(tab)
    sent = []

    async def catch(route):
        sent.append(route.request.post_data)
        await route.abort()

    await tab.route("**/oauth/passkeys/sign-in", catch)
    await tab.get_by_role("button", name="Sign in with a passkey").click()
    await tab.wait_for_timeout(500)
    await tab.unroute("**/oauth/passkeys/sign-in")
    post, headers = tab.context.request.post, {"content-type": "application/x-www-form-urlencoded"}
    path = f"{named.url}/oauth/passkeys/sign-in"
    elsewhere = await chromium.new_context()
    page = await elsewhere.request.get(f"{named.url}/oauth/sign-in")
    _, own = form_of(await page.text())
    stolen = "&".join(part for part in sent[0].split("&") if not part.startswith("csrf=")) + f"&csrf={own['csrf']}"
    refused = await elsewhere.request.post(path, data=stolen, headers=headers, max_redirects=0)
    assert (refused.status, "too old" in await refused.text()) == (401, True)
    good = await post(path, data=sent[0], headers=headers, max_redirects=0)
    assert good.status == 303
    again = await post(path, data=sent[0], headers=headers, max_redirects=0)
    assert again.status in (401, 403)
    await elsewhere.close()


@pytest.mark.browser
async def test_without_scripts_the_page_works_by_password(named, account, chromium):
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{named.url}/oauth/sign-in")
    await expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    await page.get_by_label("E-mail").fill(f"{account.handle[1:]}@k.test")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Connected partners")).to_be_visible()
    await context.close()


def passkeys_at(db, identity, issuer):
    return Passkeys(db, identity.hasher, ProcessReplays(), Alarms(db), issuer)


@pytest.mark.parametrize(
    ("issuer", "available"),
    [
        ("https://api.fshnista.test", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
        ("http://api.fshnista.test", False),
    ],
)
async def test_passkeys_need_a_name_and_a_safe_way(db, identity, issuer, available):
    assert passkeys_at(db, identity, issuer).available is available


@pytest.mark.parametrize(
    "answer",
    ["", "null", "[]", "{}", "x" * 20_000, '{"id": "YQ", "rawId": "YQ", "response": {}}', '{"id": 1}', "\0",
     '{"id":"YQ","rawId":"YQ","response":{"clientDataJSON":"e30","attestationObject":"oA","authenticatorData":"","signature":""}}'],
)  # fmt: skip
async def test_nonsense_is_refused(db, identity, account, answer):
    passkeys, owner = passkeys_at(db, identity, "http://localhost"), Owner(account.user_id, account.handle, "K")
    with pytest.raises(WrongPasskey):
        await passkeys.check("cookie", answer)
    with pytest.raises(WrongPasskey):
        await passkeys.add("cookie", owner, "name", answer)


async def test_options_ask_for_a_discoverable_key_that_verifies_the_person(db, identity, account):
    passkeys, owner = passkeys_at(db, identity, "http://localhost"), Owner(account.user_id, account.handle, "K")
    options = await passkeys.creation("cookie", owner)
    assert options["rp"] == {"name": "FSHNiSTA", "id": "localhost"}
    chosen = options["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    assert base64.urlsafe_b64decode(options["user"]["id"] + "==").decode() == account.user_id
    assert passkeys.request("cookie")["userVerification"] == "required"
    assert orjson.dumps(options)
    assert options["challenge"] != (await passkeys.creation("cookie", owner))["challenge"]
