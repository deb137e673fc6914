"""GraphQL over server-sent events, in distinct connections mode (graphql-sse, PROTOCOL.md): `next`, then `complete`.

Each event of a subscription has its cursor as `id`, so a reader that comes back with `Last-Event-ID` misses nothing.
A stream that ends without `complete` was broken off: the server stops, or was restarted; come back.
"""

from collections.abc import AsyncIterator

from starlette.types import Receive, Scope, Send

from auth.errors import AuthError
from execution.subscriptions import Subscription
from schema.operations import Asked, GraphQLSurface, print_errors
from wire.requests import idempotency_key
from wire.responses import send_bytes
from wire.sse import MEDIA, event, finish, last_event_id, place, serve_events

Connection = tuple[Scope, Receive, Send]


async def serve(surface: GraphQLSurface, at: Connection, asked: Asked) -> None:
    """Answers with a stream of events. What is wrong with the document is told in a `next` event, as the protocol asks."""
    scope, _, send = at
    headers = scope["state"]["headers"]
    if asked.kind == "subscription":
        opened = await asked.subscribe(last_event_id=last_event_id(headers))
        if isinstance(opened, Subscription):
            await _follow(surface, at, asked, opened)
            return
        outcome = opened
    else:
        outcome = await asked.run(idempotency_key=idempotency_key(headers))
        asked.note()
    body = _next(asked.print(outcome)) + _complete()
    await send_bytes(send, 200, {"content-type": f"{MEDIA}; charset=utf-8"}, body)


async def _follow(surface: GraphQLSurface, at: Connection, asked: Asked, subscription: Subscription) -> None:
    scope, receive, send = at
    headers = scope["state"]["headers"]
    try:
        with surface.streams.open(asked.viewer, lambda: surface.gate.recheck(headers, scope)) as stream:
            pages = _pages(subscription, asked)
            reason = await serve_events(scope, receive, send, stream, place(subscription.start), pages)
    finally:
        subscription.close()
    last = b""
    if isinstance(reason, AuthError):
        last = _next(b'{"errors":' + print_errors([reason], asked.request_id) + b"}") + _complete()
    await finish(send, last)


async def _pages(subscription: Subscription, asked: Asked) -> AsyncIterator[list[bytes]]:
    async for page in subscription:
        yield [_next(asked.print(outcome), cursor) for cursor, outcome in page]


def _next(payload: bytes, cursor: str | None = None) -> bytes:
    return event(payload, id=cursor, name="next")


def _complete() -> bytes:
    return event(b"", name="complete")
