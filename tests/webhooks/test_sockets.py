"""graphql-transport-ws: what the protocol asks of a server, message by message and code by code."""

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from schema import sockets
from tests.factories import make_partner
from tests.webhooks.partners import eventually

FOLLOW = "subscription { events { cursor node { resourceId } } }"
PROTOCOL = "graphql-transport-ws"


@pytest.fixture
def url(live_api):
    return live_api.replace("http", "ws")


class Socket:
    """A client's side of a socket."""

    def __init__(self, raw):
        self.raw = raw

    async def tell(self, **message):
        await self.raw.send(json.dumps(message))

    async def hear(self):
        async with asyncio.timeout(10):
            return json.loads(await self.raw.recv())

    async def closed(self):
        """The code and reason that close it."""
        with pytest.raises(ConnectionClosed) as closed:
            await self.hear()
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code, closed.value.rcvd.reason

    async def begin(self, token):
        await self.tell(type="connection_init", payload={"Authorization": f"Bearer {token}"})
        assert (await self.hear())["type"] == "connection_ack"


@asynccontextmanager
async def opened(url, path="/graphql/preview", token=None, protocols=(PROTOCOL,), **more):
    async with connect(f"{url}{path}", subprotocols=protocols or None, **more) as raw:
        socket = Socket(raw)
        if token is not None:
            await socket.begin(token)
        yield socket


async def test_one_socket_carries_queries_mutations_and_subscriptions(url, partner, database, a_worker):
    storefront = await partner.storefront()
    async with a_worker(database), opened(url, token=partner.token) as socket:
        await socket.tell(id="s", type="subscribe", payload={"query": FOLLOW})
        await socket.tell(id="q", type="subscribe", payload={"query": "{ me { handle } }"})
        answer = await socket.hear()
        assert (answer["id"], answer["payload"]["data"]) == ("q", {"me": {"handle": partner.handle}})
        assert await socket.hear() == {"id": "q", "type": "complete"}
        change = "mutation($i: ProductUpsertInput!) { productUpsert(input: $i) { product { id } } }"
        body = {
            "storefrontId": storefront["id"],
            "sku": "WS-1",
            "title": "A tee",
            "price": {"amount": "9.00", "currency": "EUR"},
            "status": "ACTIVE",
        }
        await socket.tell(
            id="m",
            type="subscribe",
            payload={"query": change, "variables": {"i": body}},
        )
        heard: dict[str, Any] = {}
        while set(heard) != {"s", "m"}:
            message = await socket.hear()
            assert message["type"] != "error", message
            if message["type"] == "next":
                heard[message["id"]] = message["payload"]["data"]
        assert heard["s"]["events"]["node"]["resourceId"] == heard["m"]["productUpsert"]["product"]["id"]
        await socket.tell(id="s", type="complete")
        await partner.product(storefront)
        await socket.tell(type="ping", payload={"n": 1})
        assert (await socket.hear()) in ({"type": "pong", "payload": {"n": 1}}, {"id": "m", "type": "complete"})
        await socket.tell(id="s", type="subscribe", payload={"query": "{ __typename }"})  # the id is free again


async def test_what_is_wrong_with_an_operation_is_told_under_its_id(url, partner):
    async with opened(url, token=partner.token) as socket:
        for query, code in (
            ("{ nothing }", "BAD_INPUT"),
            ('subscription { events(after: "x") { cursor } }', "BAD_INPUT"),
        ):
            await socket.tell(id="1", type="subscribe", payload={"query": query})
            told = await socket.hear()
            assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", code)
    async with opened(url, "/graphql", token=partner.token) as socket:  # no preview, so nothing to subscribe to
        await socket.tell(id="1", type="subscribe", payload={"query": FOLLOW})
        told = await socket.hear()
        assert (told["type"], "subscription" in told["payload"][0]["message"]) == ("error", True)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("no json", 4400), ('"text"', 4400), ('{"type":"nonsense"}', 4400), ('{"type":"connection_init"}', 4429),
        ('{"type":"subscribe","payload":{"query":"{x}"}}', 4400), ('{"type":"subscribe","id":"1"}', 4400),
        ('{"type":"subscribe","id":"1","payload":{"query":7}}', 4400),
    ],
)  # fmt: skip
async def test_what_is_no_message_closes_the_socket(url, partner, message, code):
    async with opened(url, token=partner.token) as socket:
        await socket.raw.send(message)
        assert (await socket.closed())[0] == code


async def test_the_codes_before_and_around_the_acknowledgement(url, partner):
    async with opened(url) as socket:
        await socket.tell(id="1", type="subscribe", payload={"query": "{ me { handle } }"})
        assert (await socket.closed())[0] == 4401
    async with opened(url) as socket:
        await socket.tell(type="connection_init", payload={"authorization": "Bearer nonsense"})
        code, reason = await socket.closed()
        assert (code, reason.startswith("Forbidden: The token")) == (4403, True)
    async with opened(url) as socket:
        await socket.tell(type="connection_init")
        assert (await socket.closed())[0] == 4403
    async with opened(url, additional_headers={"authorization": f"Bearer {partner.token}"}) as socket:
        await socket.tell(type="connection_init")
        assert (await socket.hear()) == {"type": "connection_ack"}
        for _ in range(2):
            await socket.tell(id="twice", type="subscribe", payload={"query": FOLLOW})
        assert await socket.closed() == (4409, "Subscriber for twice already exists")
    for protocols in ((), ("graphql-ws",)):
        async with opened(url, protocols=protocols) as socket:
            assert (await socket.closed())[0] == 4406
    with pytest.raises(InvalidStatus):
        await connect(f"{url}/v1/events")


async def test_who_does_not_begin_is_let_go(api, partner):
    surface: Any = None  # it gets no further
    waits = sockets.GraphQLSocket(surface, init_seconds=0.05)
    sent: list[Any] = []
    state = {"request_id": "", "headers": {}}

    async def receive():
        if sent:
            await asyncio.sleep(5)
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "websocket", "path": "/graphql", "subprotocols": [PROTOCOL], "state": state}
    await waits(scope, receive, send)
    assert [message.get("code") for message in sent] == [None, 4408]


async def test_a_revoked_token_ends_its_sockets_and_streams_and_says_why(url, partner, api):
    parts = api[0]
    key_id = await parts.db.fetch_value("select id from api_keys where client_id = $1", (partner.client_id,))
    async with opened(url, token=partner.api_key) as doomed, opened(url, token=partner.token) as spared:
        await parts.identity.revocations.revoke("key", key_id, seconds=60)
        code, reason = await doomed.closed()
        assert (code, "revoked" in reason) == (4403, True)
        await spared.tell(type="ping")
        assert await spared.hear() == {"type": "pong"}


async def test_operations_count_against_the_quota_and_sockets_are_bounded(url, api, streams):
    limited = await make_partner(*api, tier="default")
    async with opened(url, token=limited.token) as socket:
        for number in range(100):
            await socket.tell(id=str(number), type="subscribe", payload={"query": "{ __typename }"})
        told = [await socket.hear() for _ in range(2 * 99 + 1)]
        refused = [message for message in told if message["type"] == "error"]
        assert [one["payload"][0]["extensions"]["code"] for one in refused] == ["RATE_LIMITED"]

    async def all_gone():
        return not streams

    assert await eventually(all_gone)
