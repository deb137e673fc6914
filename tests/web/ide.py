"""What a reader does in GraphiQL."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.browser import Visit


def editor(page: Page, region: str) -> Locator:
    return page.get_by_role("region", name=region).locator(".view-lines").filter(visible=True)


async def open_with_token(visit: Visit, url: str, token: str) -> None:
    """Opens the page and types a token into the headers' template; the schema then loads without a click."""
    await visit.open(url)
    await expect(editor(visit.page, "Headers")).to_contain_text('"Authorization": "Bearer "')
    await editor(visit.page, "Headers").click()
    async with visit.page.expect_response(lambda answer: answer.request.method == "POST"):
        for key in ("Control+Home", "ArrowDown", "End", "ArrowLeft"):
            await visit.page.keyboard.press(key)
        await visit.page.keyboard.type(token)


async def write_query(visit: Visit, text: str) -> None:
    await editor(visit.page, "Operation Editor").click()
    await visit.page.keyboard.press("Control+A")
    await visit.page.keyboard.press("Delete")  # a brace typed over a selection would surround it
    await visit.page.keyboard.type(text)


async def run(visit: Visit, query: str, answer: str) -> None:
    await write_query(visit, query)
    await visit.page.keyboard.press("Control+Enter")
    await expect(editor(visit.page, "Result Window")).to_contain_text(answer)
