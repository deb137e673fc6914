"""The shopper's page in a real browser: its policy lets its own style through, and only the session's site frame it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.browser import Visit
from tests.conftest import LiveServer
from tests.factories import Partner

pytestmark = pytest.mark.browser


async def link(partner: Partner, server: LiveServer, origin: str) -> str:
    product = await partner.product(await partner.storefront(), title="Chore jacket")
    body = {"product_id": product["id"], "use_case": "product_page", "origin": origin, "consent": True}
    session = (await partner.call("POST", "/v1/tryon/sessions", 201, json=body)).json()
    return f"{server.url}/tryon/{session['token']}"


@dataclass
class Shop:
    """A site whose every page frames `shows`. It has two names, which are two origins."""

    port: int = 0
    shows: str = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        page = f'<link rel="icon" href="data:,"><iframe src="{self.shows}"></iframe>'.encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + page)
        await writer.drain()
        writer.close()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    site = Shop()
    async with await asyncio.start_server(site.answer, "127.0.0.1", 0) as server:
        site.port = server.sockets[0].getsockname()[1]
        yield site


async def test_its_style_passes_its_own_policy(visit: Visit, partner: Partner, live_server: LiveServer) -> None:
    await visit.open(await link(partner, live_server, "https://shop.example"))
    assert await visit.page.locator("h1").inner_text() == "Chore jacket"
    # Browsers give headings a margin; the page's own sheet takes it away.
    assert await visit.page.locator("h1").evaluate("heading => getComputedStyle(heading).marginTop") == "0px"
    assert [fault for fault in visit.faults if "CSP" in fault and "favicon" not in fault] == []


@pytest.mark.parametrize(("name", "shown"), [("localhost", True), ("127.0.0.1", False)])
async def test_only_the_sessions_site_frames_it(
    visit: Visit, partner: Partner, live_server: LiveServer, shop: Shop, name: str, shown: bool
) -> None:
    shop.shows = await link(partner, live_server, f"http://localhost:{shop.port}")
    await visit.page.goto(f"http://{name}:{shop.port}/")
    framed = visit.page.frame_locator("iframe").get_by_role("heading", name="Chore jacket")
    assert await framed.count() == (1 if shown else 0), visit.faults
    assert any("frame-ancestors" in fault for fault in visit.faults) is not shown
