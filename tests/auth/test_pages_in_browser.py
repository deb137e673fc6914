"""Signing in, consent and withdrawal in a real Chromium, without JavaScript, by keyboard."""

import pytest
from playwright.async_api import expect

from auth.partners import create_creator, create_partner
from db.ids import new_id
from tests.auth.flow import PASSWORD, challenge_of
from tests.browser import chromium as chromium

pytestmark = pytest.mark.browser


@pytest.fixture
async def page(chromium):
    context = await chromium.new_context(java_script_enabled=False, base_url=None)
    yield await context.new_page()
    await context.close()


async def test_a_creator_allows_and_withdraws(live, page):
    parts = live.parts
    # The partner's site: an address of the server itself, so that the browser stays on this machine.
    back = f"{live.url}/healthz"
    partner = await create_partner(
        parts.db, parts.identity.hasher, "Lookbook & Co", environment="sandbox", redirect_uris=(back,)
    )
    handle = f"@b-{new_id('usr')[-8:].lower()}"
    await create_creator(parts.db, handle, email=f"{handle[1:]}@b.test", password=PASSWORD)
    link = (
        f"{live.url}/oauth/authorize?response_type=code&client_id={partner.client_id}&redirect_uri={back}"
        f"&scope=profile:read+orders:read&state=s1&code_challenge={challenge_of('v' * 50)}&code_challenge_method=S256"
    )
    await page.goto(link)
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.get_by_label("E-mail").fill(f"{handle[1:]}@b.test")
    await page.get_by_label("Password").fill("wrong password")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("There is no account")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Lookbook & Co asks for access")).to_be_visible()
    await expect(page.get_by_role("group", name="What it may do")).to_be_visible()
    orders = page.get_by_label("See orders placed in your storefronts")
    await orders.focus()
    await page.keyboard.press("Space")
    assert not await orders.is_checked()
    await page.get_by_role("button", name="Allow").press("Enter")
    await page.wait_for_url(f"{back}?**")
    assert "code=fsc_test_" in page.url
    assert "state=s1" in page.url
    await page.goto(f"{live.url}/oauth/consents")
    await expect(page.get_by_role("heading", name="Lookbook & Co")).to_be_visible()
    await expect(page.get_by_text("See who you are")).to_be_visible()
    await expect(page.get_by_text("See orders")).to_have_count(0)
    await page.get_by_role("button", name="Withdraw access of Lookbook & Co").click()
    await expect(page.get_by_role("status")).to_contain_text("Access withdrawn")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_the_pages_are_never_framed(live, chromium):
    context = await chromium.new_context()
    tab = await context.new_page()
    refusals = []
    tab.on("console", lambda message: refusals.append(message.text))
    await tab.goto(f"{live.url}/healthz")
    await tab.set_content(f'<iframe src="{live.url}/oauth/sign-in"></iframe>')
    await tab.wait_for_timeout(500)
    assert any("frame" in text.lower() for text in refusals)
    await context.close()
