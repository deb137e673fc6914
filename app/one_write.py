"""uvicorn's HTTP protocol, writing each answer to the socket at once.

uvicorn hands the head and the body of an answer to the transport one after the other, and each becomes a system call
and a packet. Here what is written in one turn of the loop goes out together; on small answers that is a fifth of the
server's work (docs/decisions/server.md).
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Where the application's lifespan leaves what is to be called when the server begins to stop.
STOPS: Final = "server_stops"


class GatheringTransport:
    """A transport that gathers what is written in one turn of the loop. All else is the real transport's."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Keeps the data until the end of this turn."""
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)

    def flush(self) -> None:
        """Writes what was gathered."""
        if self._parts:
            data, self._parts = b"".join(self._parts), []
            self._transport.write(data)

    def close(self) -> None:
        """Closes when all is written."""
        self.flush()
        self._transport.close()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hands the connection over, as to a WebSocket protocol; nothing gathered is left behind."""
        self.flush()
        self._transport.set_protocol(protocol)


class OneWriteProtocol(HttpToolsProtocol):
    """uvicorn's httptools protocol on a gathering transport."""

    def connection_made(self, transport: Any) -> None:
        """Begins a connection."""
        super().connection_made(GatheringTransport(transport, self.loop))  # type: ignore[arg-type]

    def shutdown(self) -> None:
        """The server stops: streams, which would go on for ever, are told."""
        super().shutdown()
        self.app_state.get(STOPS, lambda: None)()
