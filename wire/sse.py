"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): what is sent, and until when."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from time import perf_counter
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from wire.streams import Stream

MEDIA: Final = "text/event-stream"
HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would keep events back
]
KEEP_ALIVE_SECONDS: Final = 15.0
_ALIVE: Final = b":\n\n"


def last_event_id(headers: Any) -> str | None:
    """Where the reader stood when its connection broke."""
    value: bytes | None = headers.get(b"last-event-id")
    return value.decode("latin-1") if value else None


def event(data: bytes, *, id: str | None = None, name: str | None = None) -> bytes:  # noqa: A002 - the field's name
    """One event. `data` is JSON on one line; `name` None: a message."""
    head = (f"id: {id}\n" if id is not None else "") + (f"event: {name}\n" if name is not None else "")
    return head.encode() + b"data: " + data + b"\n\n"


def place(id: str | None) -> bytes:  # noqa: A002
    """No event, but from where to go on should the connection break before there is one."""
    return b"" if id is None else f"id: {id}\n\n".encode()


async def serve_events(
    scope: Scope, receive: Receive, send: Send, stream: Stream, first: bytes, pages: AsyncIterator[Iterable[bytes]]
) -> Exception | None:
    """Sends `first`, then every page's events, until the reader goes, the pages end, or the stream must.

    Why it must is returned: the body is still open then, for a last word, and `finish` is to be called in each case.
    """
    scope["state"]["opened"] = perf_counter()
    await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
    await _write(send, first or _ALIVE)
    tasks: list[asyncio.Task[None]] = [asyncio.create_task(_gone(receive)), asyncio.create_task(_pump(send, pages))]
    try:
        ends: list[asyncio.Future[Any]] = [*tasks, stream.ended]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        done = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
    return stream.ended.result() if stream.ended.done() and not done else None


async def finish(send: Send, last: bytes = b"") -> None:
    """Ends the body with a last word, unless the reader takes nothing any more."""
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await send({"type": "http.response.body", "body": last})


async def _pump(send: Send, pages: AsyncIterator[Iterable[bytes]]) -> None:
    """One page after the other; a page is not broken off to say that the connection lives."""
    while True:
        coming = asyncio.ensure_future(anext(pages))
        try:
            while not (await asyncio.wait([coming], timeout=KEEP_ALIVE_SECONDS))[0]:
                await _write(send, _ALIVE)
        finally:
            coming.cancel()
        try:
            page = coming.result()
        except StopAsyncIteration:
            return
        for part in page:
            await _write(send, part)


async def _write(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
