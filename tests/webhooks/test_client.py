"""The outbound client against receivers of every temper."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.webhooks.receivers import Reply, receiving
from webhooks.addresses import Rules
from webhooks.client import BODY_KEPT, BrokenAnswer, Client
from webhooks.names import Names

RULES = Rules(allow_loopback=True)


@asynccontextmanager
async def a_client():
    names = Names(RULES)
    client = Client(RULES, names)
    try:
        yield client
    finally:
        client.close()
        names.close()


@asynccontextmanager
async def saying(*answers: bytes, close: bool = False):
    """A server that answers each request with the next of these bytes, whatever they are."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            writer.write(left.pop(0))
            await writer.drain()
            if close:
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield RULES.target(f"http://127.0.0.1:{port}/hook?a=b")
    server.close()


async def test_a_connection_serves_many_posts():
    async with receiving() as receiver, a_client() as client:
        for n in range(20):
            answer = await client.post(RULES.target(receiver.url), {"x-n": str(n)}, b"%d" % n)
            assert (answer.status, answer.body) == (200, b"ok")
    assert receiver.connections == 1
    assert [one.body for one in receiver.received] == [b"%d" % n for n in range(20)]
    assert receiver.received[3].headers["x-n"] == "3"


async def test_a_redirect_is_an_answer_not_a_direction():
    async with receiving() as elsewhere, a_client() as client:
        async with receiving(lambda _: Reply(302, {"location": elsewhere.url})) as receiver:
            answer = await client.post(RULES.target(receiver.url), {}, b"{}")
        assert (answer.status, answer.headers["location"]) == (302, elsewhere.url)
        assert elsewhere.connections == 0


async def test_a_long_answer_is_cut_and_its_connection_left():
    async with receiving(lambda _: Reply(200, {}, b"x" * 1_000_000)) as receiver, a_client() as client:
        for _ in range(2):
            assert len((await client.post(RULES.target(receiver.url), {}, b"{}")).body) == BODY_KEPT
        assert receiver.connections == 2


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
async def test_every_way_to_end_an_answer_is_understood(said, body):
    async with saying(said, close=True) as target, a_client() as client:
        assert (await client.post(target, {}, b"{}")).body == body


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        b"",
        b"HTTP/1.1 200 OK\r\nconte",
    ],
)
async def test_what_is_no_whole_answer_is_an_error(said):
    async with saying(said, said, close=True) as target, a_client() as client:
        with pytest.raises(BrokenAnswer):
            await client.post(target, {}, b"{}")


async def test_a_connection_that_was_closed_meanwhile_is_opened_anew():
    async with receiving() as receiver, a_client() as client:
        await client.post(RULES.target(receiver.url), {}, b"1")
        for transport in list(receiver.open):
            transport.close()
        assert (await client.post(RULES.target(receiver.url), {}, b"2")).status == 200
    assert [one.body for one in receiver.received] == [b"1", b"2"]


async def test_a_flood_of_headers_is_not_kept():
    flood = {f"x-{n}": "y" * 1000 for n in range(100)}
    async with receiving(lambda _: Reply(200, flood)) as receiver, a_client() as client:
        try:
            answer = await client.post(RULES.target(receiver.url), {}, b"{}")
        except BrokenAnswer:
            return  # the parser has had enough, which is as good
        assert sum(map(len, answer.headers.values())) <= 16_384


async def test_nobody_there_is_an_error():
    async with receiving() as receiver:
        target = RULES.target(receiver.url)
    async with a_client() as client:
        with pytest.raises(OSError, match=r"."):
            await client.post(target, {}, b"{}")
