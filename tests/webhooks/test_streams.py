"""The log of events as a stream: over REST and GraphQL, server-sent events and WebSockets."""

import asyncio
import json
import re
import socket
from contextlib import ExitStack, asynccontextmanager

import httpx
import pytest

from app.settings import ROOT
from auth.viewer import Viewer
from db.ids import new_id
from resolvers.following import PAGE
from tests.contract.documents import blocks
from tests.factories import make_partner
from webhooks import log

FOLLOW = "subscription($after: String) { events(after: $after) { cursor node { id type resourceId } } }"
LONG_LOG = """
with made as (
  insert into events (id, type, version, occurred_at, resource_id, resource_sequence, audience, payload)
  select substr($4, 1, 14) || lpad(n::text, 16, '0'), 'product.updated', '1', now(), 'prd_x', n, '{}', json_build_object('text', $3::text)
  from generate_series(1, $2::int) n returning id, resource_sequence
)
insert into event_feed (user_id, event_id, type) select $1, id, 'product.updated' from made order by resource_sequence
"""


def parsed(lines):
    """One event of the lines of one."""
    fields = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
    return fields


class Reader:
    """Reads a stream of server-sent events."""

    def __init__(self, response):
        self.response, self._lines = response, response.aiter_lines()

    async def place(self):
        """The id that comes before any event."""
        async with asyncio.timeout(10):
            async for line in self._lines:
                if line.startswith("id: "):
                    return line.removeprefix("id: ")
        return None

    async def next(self, name=None):
        """The next event with data, or the next one at all that has this name."""
        async with asyncio.timeout(10):
            lines = []
            async for line in self._lines:
                if line:
                    lines.append(line)
                    continue
                fields, lines = parsed(lines), []
                if fields.get("data") or (name and fields.get("event") == name):
                    return fields
        return None


@asynccontextmanager
async def reading(url, token, path="/v1/events", *, method="GET", headers=None, **more):
    headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream", **(headers or {})}
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=15) as client,
        client.stream(method, path, **more) as response,
    ):
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Reader(response)


@pytest.fixture
async def shop(partner, database, a_worker):
    """A partner with a storefront, while a worker runs."""
    async with a_worker(database):
        yield partner, await partner.storefront()


async def test_rest_streams_what_comes_and_goes_on_from_any_event(shop, live_api):
    partner, storefront = shop
    async with reading(live_api, partner.token) as stream:
        made = [await partner.product(storefront) for _ in range(3)]
        events = [await stream.next() for _ in made]
    assert [json.loads(one["data"])["data"]["id"] for one in events] == [one["id"] for one in made]
    async with reading(live_api, partner.token, headers={"last-event-id": events[0]["id"]}) as stream:
        assert [await stream.next() for _ in made[1:]] == events[1:]
    page = (await partner.call("GET", f"/v1/events?cursor={events[1]['id']}", 200)).json()
    assert page["data"] == [json.loads(events[2]["data"])]


async def test_graphql_follows_over_server_sent_events(shop, live_api):
    partner, storefront = shop
    body = {"query": FOLLOW}
    async with reading(live_api, partner.token, "/graphql/preview", method="POST", json=body) as stream:
        made = [await partner.product(storefront) for _ in range(3)]
        events = [await stream.next() for _ in made]
    nodes = [json.loads(one["data"])["data"]["events"]["node"] for one in events]
    assert [node["resourceId"] for node in nodes] == [one["id"] for one in made]
    assert {one["event"] for one in events} == {"next"}


async def test_a_stream_can_be_taken_up_where_it_began(shop, live_api):
    """Who loses the connection before the first event has come has a place to go on from all the same."""
    partner, storefront = shop
    for path, more in (("/v1/events", {}), ("/graphql/preview", {"method": "POST", "json": {"query": FOLLOW}})):
        async with reading(live_api, partner.token, path, **more) as stream:
            place = await stream.place()
        made = await partner.product(storefront)
        async with reading(live_api, partner.token, path, headers={"last-event-id": place}, **more) as stream:
            assert made["id"] in (await stream.next())["data"]


async def test_types_and_times_and_storefronts_narrow_a_stream(shop, live_api):
    partner, storefront = shop
    old = await partner.product(storefront)
    second = await partner.storefront()
    new = await partner.product(second)
    path = f"/v1/events?since=2026-01-01T00:00:00Z&storefrontId={second['id']}&type=product.updated,order.created"
    async with reading(live_api, partner.token, path) as stream:
        assert json.loads((await stream.next())["data"])["data"]["id"] == new["id"]
    query = 'subscription { events(since: "2026-01-01T00:00:00Z", types: [%s]) { node { resourceId } } }'
    more = {"method": "POST", "json": {"query": query % "PRODUCT_UPDATED"}}
    async with reading(live_api, partner.token, "/graphql/preview", **more) as stream:
        assert old["id"] in (await stream.next())["data"]


async def test_one_result_and_what_is_wrong_come_as_next_and_complete(shop, live_api):
    partner, _ = shop
    for path, query, sign in (
        ("/graphql", "{ me { handle } }", partner.handle), ("/graphql", FOLLOW, "BAD_INPUT"),
        ("/graphql/preview", "{ nonsense }", "BAD_INPUT"),
        ("/graphql/preview", 'subscription { events(after: "x") { cursor } }', "/after"),
    ):  # fmt: skip
        async with reading(live_api, partner.token, path, method="POST", json={"query": query}) as stream:
            told = await stream.next()
            assert (told["event"], sign in told["data"]) == ("next", True), told
            assert (await stream.next("complete"))["event"] == "complete"


async def test_what_the_page_prints_works_as_printed(shop, live_api):
    partner, storefront = shop
    listed, followed = blocks(ROOT / "docs" / "preview-events.md", "graphql")
    answer = (await partner.call("POST", "/graphql/preview", 200, json={"query": listed})).json()
    assert "errors" not in answer, answer
    more = {"method": "POST", "json": {"query": followed}}
    async with reading(live_api, partner.token, "/graphql/preview", **more) as stream:
        made = await partner.product(storefront)
        told = json.loads((await stream.next())["data"])["data"]["events"]["node"]
    assert (told["resourceId"], told["payload"]["snapshot"]["sku"]) == (made["id"], made["sku"])


async def test_what_cannot_be_a_stream_is_refused_before_it_begins(shop, live_api, streams, api):
    partner, _ = shop
    async with httpx.AsyncClient(base_url=live_api, headers={"authorization": f"Bearer {partner.token}"}) as client:
        plain = await client.post("/graphql/preview", json={"query": FOLLOW})
        assert (plain.status_code, "text/event-stream" in plain.text) == (406, True)
        taken = {"accept": "text/event-stream"}
        wrong = await client.get("/v1/events?cursor=x", headers=taken)
        assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/cursor")
        assert (await client.get("/v1/events", headers=taken | {"authorization": "Bearer x"})).status_code == 401
        few = await make_partner(*api, scopes="storefronts:read")
        assert (
            await client.get("/v1/events", headers=taken | {"authorization": f"Bearer {few.token}"})
        ).status_code == 403
        small = await make_partner(*api, tier="default")
        viewer = Viewer("", small.client_id, "", frozenset(), "default")
        with ExitStack() as held:
            for _ in range(100):
                held.enter_context(streams.open(viewer, asyncio.Event().wait))
            full = await client.get("/v1/events", headers=taken | {"authorization": f"Bearer {small.token}"})
        assert (full.status_code, "100 streams" in full.json()["detail"]) == (429, True)


async def test_a_revoked_key_ends_its_streams_and_says_why(shop, live_api, api):
    partner, _ = shop
    parts = api[0]
    key_id = await parts.db.fetch_value("select id from api_keys where client_id = $1", (partner.client_id,))
    more = {"method": "POST", "json": {"query": FOLLOW}}
    async with (
        reading(live_api, partner.api_key) as rest,
        reading(live_api, partner.api_key, "/graphql/preview", **more) as graphql,
        reading(live_api, partner.token) as spared,
    ):
        await parts.identity.revocations.revoke("key", key_id, seconds=60)
        told = await rest.next()
        assert (told["event"], json.loads(told["data"])["status"]) == ("problem", 401)
        assert "UNAUTHENTICATED" in (await graphql.next())["data"]
        assert (await graphql.next("complete"))["event"] == "complete"
        assert await rest.next() is None
        made = await partner.product(await partner.storefront())
        assert made["id"] in (await spared.next())["data"]


async def test_who_reads_slowly_makes_the_server_wait_not_grow(partner, live_api, database, monkeypatch):
    """The log is the buffer: nothing is read from it that the reader has not made room for."""
    count, read = 3_000, []
    await database.fetch(LONG_LOG, [partner.user_id, count, "x" * 8_000, new_id("evt")])
    real = log.read

    async def counted(*given):
        read.append(1)
        return await real(*given)

    monkeypatch.setattr(log, "read", counted)
    with socket.create_connection(("127.0.0.1", int(live_api.rpartition(":")[2]))) as slow:
        slow.sendall(
            b"GET /v1/events?since=2026-01-01T00:00:00Z HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
            b"Authorization: Bearer " + partner.token.encode() + b"\r\n\r\n"
        )
        await asyncio.sleep(1)
        before = len(read)
        await asyncio.sleep(0.3)
        assert 0 < before == len(read) < count / PAGE
        got = await asyncio.to_thread(read_events, slow, count)
    assert got == sorted(set(got))
    assert len(got) == count


def read_events(slow, count):
    """The sequence numbers of so many events, as they come."""
    slow.settimeout(10)
    with slow.makefile("rb") as lines:
        found: list[int] = []
        while len(found) < count:
            found += [int(number) for number in re.findall(rb'"sequence":(\d+)', lines.readline())]
    return found
