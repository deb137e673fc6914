"""The outbound HTTP/1.1 client: posts a body to an address that was checked, follows nothing, keeps little.

Connections are kept open between deliveries of one origin. The parser is httptools (llhttp).
"""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, cast

import httptools

from webhooks.addresses import Address, Rules, Target
from webhooks.names import Names

BODY_KEPT: Final = 16_384
_HEADERS_KEPT: Final = 16_384
_IDLE_SECONDS: Final = 20.0
_OLDEST_SECONDS: Final = 300.0
_IDLE_KEPT: Final = 32  # connections an origin
_ADDRESSES_TRIED: Final = 2


class BrokenAnswer(OSError):
    """The receiver closed the connection, or answered with something that is not HTTP/1.1."""


@dataclass(slots=True)
class Answer:
    """What a receiver said. `body` is cut at 16 kB."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class _Reading:
    done: asyncio.Future[Answer]
    headers: dict[str, str] = field(default_factory=dict)
    body: list[bytes] = field(default_factory=list)
    size: int = 0
    header_size: int = 0
    begun: bool = False
    headed: bool = False  # its headers are complete


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.born = self.idle_since = monotonic()
        self._parser: httptools.HttpResponseParser | None = None
        self._reading: _Reading | None = None
        self._reusable = False

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._reading is None or self._parser is None:
            self.close()  # nobody asked: whatever it is, it is no answer
            return
        self._reading.begun = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(BrokenAnswer(f"the answer is not HTTP/1.1: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        reading = self._reading
        self.transport = None
        if reading is None:
            return
        if exc is None and self._ends_with_connection(reading):
            self._finish()
        else:
            self._fail(BrokenAnswer("the connection was closed before the answer was complete"))

    # httptools callbacks

    def on_header(self, name: bytes, value: bytes) -> None:
        reading = self._reading
        if reading is None:
            return
        reading.header_size += len(name) + len(value)
        if reading.header_size <= _HEADERS_KEPT:
            reading.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._reading is not None:
            self._reading.headed = True

    def on_body(self, body: bytes) -> None:
        reading = self._reading
        if reading is None:
            return
        reading.body.append(body[: BODY_KEPT - reading.size])
        reading.size += len(body)
        if reading.size > BODY_KEPT:
            self._finish()

    def on_message_complete(self) -> None:
        parser, reading = self._parser, self._reading
        if parser is None or reading is None:
            return
        if parser.get_status_code() < 200:  # 100 Continue and its like: the answer is still to come
            reading.headers.clear()
            reading.headed = False
            return
        self._reusable = parser.should_keep_alive()
        self._finish()

    # used by Client

    @property
    def usable(self) -> bool:
        """Whether another request may be sent on it."""
        now = monotonic()
        fresh = now - self.idle_since < _IDLE_SECONDS and now - self.born < _OLDEST_SECONDS
        return self.transport is not None and self._reusable and fresh and not self.transport.is_closing()

    async def exchange(self, request: bytes) -> Answer:
        """Sends one request and waits for its answer."""
        if self.transport is None:
            raise BrokenAnswer("the connection was closed")
        self._reading = _Reading(asyncio.get_running_loop().create_future())
        self._parser = httptools.HttpResponseParser(self)
        self._reusable = False
        done = self._reading.done
        self.transport.write(request)
        try:
            return await done
        except asyncio.CancelledError:
            self._reading = None
            self.close()
            raise

    def close(self) -> None:
        """Ends the connection at once; nothing more is of interest."""
        self._reusable = False
        if self.transport is not None:
            self.transport.abort()

    @property
    def untouched(self) -> bool:
        """Whether the receiver has said nothing at all to the last request."""
        return self._reading is None or not self._reading.begun

    def _ends_with_connection(self, reading: _Reading) -> bool:
        status = self._parser.get_status_code() if self._parser is not None else 0
        framed = "content-length" in reading.headers or "transfer-encoding" in reading.headers
        return reading.headed and status >= 200 and not framed

    def _finish(self) -> None:
        reading, parser = self._reading, self._parser
        self._reading, self.idle_since = None, monotonic()
        if reading is not None and parser is not None and not reading.done.done():
            reading.done.set_result(Answer(parser.get_status_code(), reading.headers, b"".join(reading.body)))
        if not self._reusable:
            self.close()

    def _fail(self, error: Exception) -> None:
        reading, self._reading = self._reading, None
        if reading is not None and not reading.done.done():
            reading.done.set_exception(error)
        self.close()


class Client:
    """Posts to partners. Every connection goes to an address that the rules admitted when the name was looked up."""

    def __init__(self, rules: Rules, names: Names, tls: ssl.SSLContext | None = None) -> None:
        self._rules = rules
        self._names = names
        self._tls = tls or ssl.create_default_context()
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._idle: dict[tuple[str, str, int], list[_Connection]] = defaultdict(list)

    async def post(self, target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
        """One POST. OSError where it cannot be reached, RefusedAddress where it must not be."""
        request = _request(target, headers, body)
        key = (target.scheme, target.host, target.port)
        connection = self._take(key)
        if connection is not None:
            try:
                return self._keep(key, connection, await connection.exchange(request))
            except BrokenAnswer:
                if not connection.untouched:
                    raise  # it had begun to answer; whoever keeps a connection closes it between answers
        connection = await self._connect(target)
        return self._keep(key, connection, await connection.exchange(request))

    def close(self) -> None:
        """Ends every idle connection."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def sweep(self) -> None:
        """Ends connections that have been idle or open for too long."""
        for key, connections in list(self._idle.items()):
            fresh = [connection for connection in connections if connection.usable]
            for connection in connections:
                if connection not in fresh:
                    connection.close()
            if fresh:
                self._idle[key] = fresh
            else:
                del self._idle[key]

    def _take(self, key: tuple[str, str, int]) -> _Connection | None:
        connections = self._idle.get(key, [])
        while connections:
            connection = connections.pop()
            if connection.usable:
                return connection
            connection.close()
        return None

    def _keep(self, key: tuple[str, str, int], connection: _Connection, answer: Answer) -> Answer:
        connections = self._idle[key]
        if connection.usable and len(connections) < _IDLE_KEPT:
            connections.append(connection)
        else:
            connection.close()
        return answer

    async def _connect(self, target: Target) -> _Connection:
        error: OSError | None = None
        for address in (await self._names.addresses(target.host, target.port))[:_ADDRESSES_TRIED]:
            try:
                return await self._connect_to(address, target)
            except OSError as failure:
                error = failure
        raise error or BrokenAnswer("no address answered")

    async def _connect_to(self, address: Address, target: Target) -> _Connection:
        tls = self._tls if target.scheme == "https" else None
        _, connection = await asyncio.get_running_loop().create_connection(
            _Connection, str(address), target.port, ssl=tls, server_hostname=target.host if tls else None
        )
        return connection


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"POST {target.path} HTTP/1.1", f"host: {target.authority}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("ascii") + body
