"""GraphiQL in a real browser before the real application: a subscription is followed on its page."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser import chromium as chromium
from tests.browser import visit as visit
from tests.web.ide import editor, open_with_token, run

pytestmark = pytest.mark.browser


async def test_a_subscription_shows_events_as_they_arrive_until_it_is_stopped(
    visit, live_api, streams, partner, database, a_worker
):
    async with a_worker(database):
        storefront = await partner.storefront()
        first = await partner.product(storefront)
        await open_with_token(visit, f"{live_api}/graphql/preview", partner.api_key)
        since = 'subscription Follow { events(since: "2026-01-01T00:00:00Z") { node { resourceId } } }'
        await run(visit, since, first["id"])
        second = await partner.product(storefront)
        await expect(editor(visit.page, "Result Window")).to_contain_text(second["id"])
        assert len(streams) == 1
        await visit.page.get_by_role("button", name="Stop query").click()
        async with asyncio.timeout(10):
            while streams:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.02)
    assert visit.faults == []
