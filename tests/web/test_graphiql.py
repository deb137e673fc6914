"""GraphiQL in a real browser, under the policy that it is served with."""

from __future__ import annotations

import asyncio
import re
from typing import Literal

import pytest
from playwright.async_api import expect

from tests.browser import Visit
from tests.web.conftest import TOKEN
from tests.web.ide import editor, open_with_token, run, write_query

pytestmark = pytest.mark.browser

# One script, as Monaco may draw its lines anew between two.
LINE_TOPS = """[...document.querySelectorAll('[aria-label="Operation Editor"] .view-line')]
  .map((line) => line.getBoundingClientRect().top)"""
STORED = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"


async def test_a_reader_s_way_from_token_to_answer(visit: Visit, site: str) -> None:
    await open_with_token(visit, f"{site}/graphql", TOKEN)

    await write_query(visit, "query Hello { gre")
    await visit.page.keyboard.press("Control+Space")
    await expect(visit.page.locator(".suggest-widget.visible")).to_contain_text("greeting")
    await visit.page.keyboard.press("Escape")

    await run(visit, 'query Hello { greeting(name: "Ada") }', '"greeting": "Hello Ada"')

    await visit.page.get_by_role("tab", name="Me").click()
    await run(visit, "{ stage }", '"stage": "/graphql"')  # the token serves this tab too

    await visit.page.get_by_role("button", name="Show Documentation Explorer").click()
    await visit.page.get_by_role("link", name="Query").click()
    await expect(visit.page.get_by_role("region", name="Documentation Explorer")).to_contain_text("stage")
    assert visit.faults == []


async def test_the_preview_path_asks_itself_and_keeps_no_token(visit: Visit, site: str) -> None:
    await open_with_token(visit, f"{site}/graphql/preview", TOKEN)
    await run(visit, "{ stage }", '"stage": "/graphql/preview"')
    posts = {request.url for request in visit.requests if request.method == "POST"}
    assert posts == {f"{site}/graphql/preview"}

    stored = ""
    async with asyncio.timeout(20):  # the query is kept, a moment after it was typed
        while "{ stage }" not in stored:
            stored = await visit.page.evaluate(STORED)
    assert TOKEN not in stored
    await visit.page.reload()
    await expect(editor(visit.page, "Operation Editor")).to_have_text("{ stage }")
    await expect(editor(visit.page, "Headers")).to_contain_text('"Authorization": "Bearer "')
    assert visit.faults == []


async def test_nothing_is_sent_before_there_is_a_token(visit: Visit, site: str) -> None:
    await visit.open(f"{site}/graphql")
    await expect(editor(visit.page, "Result Window")).to_contain_text("Nothing was sent")
    assert [request.url for request in visit.requests if request.method == "POST"] == []
    assert visit.faults == []


@pytest.mark.parametrize(("scheme", "bright"), [("light", True), ("dark", False)])
async def test_lines_stand_in_order_in_the_reader_s_colours(
    visit: Visit, site: str, scheme: Literal["light", "dark"], bright: bool
) -> None:
    """Monaco places lines by style attributes, which the policy forbids and web/src/csp.ts sets another way."""
    await visit.page.emulate_media(color_scheme=scheme)
    await visit.open(f"{site}/graphql")
    tops: list[float] = []
    async with asyncio.timeout(20):
        while not len(set(tops)) == len(tops) > 5:
            tops = await visit.page.evaluate(LINE_TOPS)
    assert await visit.page.locator("[data-late-style]").count() == 0

    colour = await visit.page.locator(".graphiql-container").evaluate("box => getComputedStyle(box).backgroundColor")
    channels = [int(part) for part in re.findall(r"\d+", colour)[:3]]
    assert (sum(channels) > 384) is bright
    assert visit.faults == []


async def test_it_works_by_keyboard_alone(visit: Visit, site: str) -> None:
    await visit.open(f"{site}/graphql")
    await expect(editor(visit.page, "Operation Editor")).to_be_visible()
    names: list[str] = []
    while len(names) < 40 and not any(name.startswith("Execute query") for name in names):
        await visit.page.keyboard.press("Tab")
        names.append(await visit.page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''"))
    assert "Show Documentation Explorer" in names
    assert names[-1].startswith("Execute query")
    assert visit.faults == []
