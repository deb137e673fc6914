"""Serves a route: parses what comes in, calls its handler, prints what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.types import Receive, Scope, Send

from auth.errors import AuthError
from auth.gate import Gate
from auth.viewer import Viewer
from db.bodies.base import encode, etag
from db.sessions import Database
from resolvers.context import new_context
from resolvers.inputs import read
from resolvers.platform import Platform
from rest_facade.call import Answer, Call, EventStream
from rest_facade.problems import problem
from rest_facade.queries import read_query
from rest_facade.route import Route
from wire.errors import status_of
from wire.requests import idempotency_key, parse_json, read_body
from wire.responses import send_bytes, send_chunks
from wire.sse import event, finish, last_event_id, place, serve_events
from wire.streams import OpenStreams

NOBODY = Viewer("", "", "", frozenset())


@dataclass(frozen=True)
class Surface:
    """What every endpoint works with."""

    db: Database
    gate: Gate
    platform: Platform
    streams: OpenStreams


class Endpoint:
    """An ASGI application for one route."""

    def __init__(self, route: Route, surface: Surface) -> None:
        self._route = route
        self._surface = surface
        self._use = route.use

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, whatever comes of it."""
        state: dict[str, Any] = scope["state"]
        state["route"] = self._route.path
        try:
            headers = state["headers"]
            answer = await self._answer(scope, receive, state, headers)
            if answer.events is not None:
                self._note(state)
                await self._follow(answer.events, scope, receive, send)
                return
            await _send_answer(send, answer, headers if self._route.method == "GET" else {}, scope)
            self._note(state)
        except Exception as error:
            if status_of(error) == 500:
                raise
            await send_problem(send, error, state["request_id"])
            self._note(state)

    async def _answer(
        self, scope: Scope, receive: Receive, state: dict[str, Any], headers: Mapping[bytes, bytes]
    ) -> Answer:
        route, surface = self._route, self._surface
        viewer = NOBODY if route.public else await surface.gate.admit(headers, state["answer_headers"], scope)
        state["client"] = viewer.client_id
        ctx = new_context(
            viewer, surface.db, surface.platform, request_id=state["request_id"],
            idempotency_key=idempotency_key(headers) if route.method == "POST" else None,
            last_event_id=last_event_id(headers),
        )  # fmt: skip
        if route.scope is not None:
            (ctx.require_read if route.method == "GET" else ctx.require)(route.scope)
        query = read_query(route.query, scope["query_string"])
        sent = await self._sent(receive, headers)
        state["sent"] = (query.model_fields_set, sent)
        if self._use.may_end:
            self._tell_ending(state)
        body = read(route.body, sent) if route.body is not None else None
        return await route.handler(Call(ctx, scope.get("path_params", {}), query, body, headers, scope, receive))

    async def _follow(self, answer: EventStream, scope: Scope, receive: Receive, send: Send) -> None:
        """A stream that breaks off without a word of `problem` may be taken up again where it broke."""
        state, gate = scope["state"], self._surface.gate
        try:
            with self._surface.streams.open(answer.viewer, lambda: gate.recheck(state["headers"], scope)) as stream:
                reason = await serve_events(scope, receive, send, stream, place(answer.start), answer.pages)
        finally:
            answer.close()
        last = b""
        if isinstance(reason, AuthError):
            last = event(problem(reason, state["request_id"])[2], name="problem")
        await finish(send, last)

    async def _sent(self, receive: Receive, headers: Mapping[bytes, bytes]) -> Any:
        return None if self._route.body is None else parse_json(await read_body(receive), headers)

    def _tell_ending(self, state: dict[str, Any]) -> None:
        """Adds the headers of what this request uses and what will end, whatever the answer becomes."""
        used = self._use.used(*state["sent"])
        state["answer_headers"].extend(self._use.notice(used, self._surface.platform.public_url))

    def _note(self, state: dict[str, Any]) -> None:
        """Counts what was used. The answer is out already: nobody waits for it."""
        usage = self._surface.platform.usage
        if usage is not None and state["client"] and "sent" in state:
            usage.note(state["client"], self._use.used(*state["sent"]))


async def send_problem(send: Send, error: Exception, request_id: str) -> None:
    """Answers with a problem document."""
    status, headers, body = problem(error, request_id)
    await send_bytes(send, status, headers, body)


async def _send_answer(send: Send, answer: Answer, conditions: Mapping[bytes, bytes], scope: Scope) -> None:
    if answer.stream is not None:
        await _send_stream(send, answer, conditions, scope)
        return
    if answer.body is None:
        await send_bytes(send, answer.status, answer.headers, b"")
        return
    body = answer.body if isinstance(answer.body, bytes) else encode(answer.body)
    headers = {"content-type": "application/json", **answer.headers}
    headers.setdefault("etag", etag(body))
    if _matches(conditions.get(b"if-none-match"), headers["etag"]):
        del headers["content-type"]
        await send_bytes(send, 304, headers, b"")
        return
    await send_bytes(send, answer.status, headers, body, head=scope["method"] == "HEAD")


async def _send_stream(send: Send, answer: Answer, conditions: Mapping[bytes, bytes], scope: Scope) -> None:
    tag = answer.headers.get("etag", "")
    if tag and _matches(conditions.get(b"if-none-match"), tag):
        await send_bytes(send, 304, {"etag": tag}, b"")
        return
    chunks = None if answer.stream is None or scope["method"] == "HEAD" else await answer.stream()
    await send_chunks(send, answer.status, answer.headers, chunks)


def _matches(condition: bytes | None, tag: str) -> bool:
    """RFC 9110 section 13.1.2: weak comparison, any of the tags, or a star."""
    if condition is None:
        return False
    tags = [part.strip().removeprefix("W/") for part in condition.decode("latin-1").split(",")]
    return tag in tags or "*" in tags


def envelope(call: Call, bodies: list[Any], next_cursor: str | None) -> Answer:
    """A page of a list, with the way to the next one."""
    body = {"data": bodies, "has_more": next_cursor is not None, "next_cursor": next_cursor}
    if next_cursor is None:
        return Answer(body)
    sent = call.query.model_dump(mode="json", exclude_none=True, exclude_unset=True, by_alias=True)
    query = urlencode(sent | {"limit": call.query.limit, "cursor": next_cursor})
    url = f"{call.ctx.platform.public_url}{call.scope['path']}?{query}"
    return Answer(body, headers={"link": f'<{url}>; rel="next"'})
