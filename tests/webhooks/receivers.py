"""A partner's server on loopback: takes what is posted and answers as told."""

import asyncio
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httptools
import orjson


@dataclass(slots=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def event(self):
        """What was told."""
        return orjson.loads(self.body)


@dataclass(slots=True)
class Reply:
    """What to answer; `delay` in seconds, `hang` never answers, `drop` closes the connection."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    delay: float = 0.0
    hang: bool = False
    drop: bool = False


class _Connection(asyncio.Protocol):
    def __init__(self, receiver: "Receiver") -> None:
        self.receiver = receiver
        self.parser = httptools.HttpRequestParser(self)
        self._begin()

    def _begin(self) -> None:
        self.url, self.body = b"", b""
        self.headers: dict[str, str] = {}

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.receiver.connections += 1
        self.receiver.open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.receiver.open.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        received = Received(self.url.decode(), self.headers, self.body, time.time())
        self._begin()
        reply = self.receiver.take(received)
        if reply.hang:
            return
        if reply.delay:
            asyncio.get_running_loop().call_later(reply.delay, self.answer, reply)
        else:
            self.answer(reply)

    def answer(self, reply: Reply) -> None:
        if self.transport.is_closing():
            return
        if reply.drop:
            self.transport.abort()
            return
        lines = [f"HTTP/1.1 {reply.status} X", f"content-length: {len(reply.body)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + reply.body)


class Receiver:
    """Keeps what came. `behave` decides each answer."""

    def __init__(self, behave: Callable[[Received], Reply] | None = None) -> None:
        self.behave = behave or (lambda _: Reply())
        self.received: list[Received] = []
        self.connections = 0
        self.open: set[Any] = set()
        self._news = asyncio.Event()
        self.port = 0

    def take(self, received: Received) -> Reply:
        self.received.append(received)
        self._news.set()
        return self.behave(received)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def wait(self, count: int, seconds: float = 10.0) -> list[Received]:
        """Waits until so many have come."""
        async with asyncio.timeout(seconds):
            while len(self.received) < count:
                self._news.clear()
                await self._news.wait()
        return self.received


@asynccontextmanager
async def receiving(behave: Callable[[Received], Reply] | None = None, *, into: "Receiver | None" = None):
    """A receiver that listens while the block runs."""
    receiver = into or Receiver(behave)
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(receiver), "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for transport in list(receiver.open):
            transport.abort()
        await server.wait_closed()
