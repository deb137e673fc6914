"""A real Chromium for tests, and a record of everything that a page does wrong in it.

A room whose pages are tested in the browser re-exports the fixtures in its conftest.py:
`from tests.browser import chromium as chromium, visit as visit`, and marks its tests `browser`.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright, expect

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 20_000  # a busy machine takes long to start Monaco
NAMES = ["chromium", "chromium-browser", "google-chrome"]

# A violation also reaches the console, but only as prose; the event names the directive and what it stopped.
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP ${event.effectiveDirective} stopped ${event.blockedURI} ${event.sample} at ${event.sourceFile}`));
"""


@dataclass
class Visit:
    """One browser tab. `faults` holds what it did wrong: errors on the console, foreign requests, …"""

    page: Page
    origin: str = ""
    faults: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    async def open(self, url: str) -> None:
        """Goes to `url`; from then on only its origin may be asked for anything."""
        self.origin = origin_of(url)
        await self.page.goto(url)

    def on_request(self, request: Request) -> None:
        self.requests.append(request)
        if not request.url.startswith(("data:", "blob:")) and origin_of(request.url) != self.origin:
            self.faults.append(f"request to another origin: {request.url}")

    def on_failed(self, request: Request) -> None:
        """A load that failed; one that the page itself gave up, as when it is left, is no fault."""
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"failed: {request.url} {request.failure}")

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console {message.type}: {message.text}")


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The machine's Chromium, started once; tests that need it are skipped where there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no Chromium on this machine (looked for {', '.join(NAMES)})")
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def visit(chromium: Browser) -> AsyncIterator[Visit]:
    """A fresh tab with empty storage."""
    context = await chromium.new_context(viewport={"width": 1280, "height": 800})
    await context.add_init_script(REPORT_VIOLATIONS)
    page = await context.new_page()
    visit = Visit(page)
    page.on("request", visit.on_request)
    page.on("console", visit.on_console)
    page.on("pageerror", lambda error: visit.faults.append(f"uncaught: {error}"))
    page.on("requestfailed", visit.on_failed)
    yield visit
    await context.close()
