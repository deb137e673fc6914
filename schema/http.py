"""GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/): what comes in, what goes out."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope, Send

from auth.errors import AuthError
from execution.engine import GraphQLRequest
from resolvers.errors import DomainError
from schema import sse
from schema.operations import GraphQLSurface, entry_of, read_request
from wire.errors import HttpError, status_of
from wire.requests import idempotency_key, parse_json, read_body, read_json
from wire.responses import send_bytes
from wire.sse import MEDIA as EVENT_STREAM

GRAPHQL_JSON, JSON = "application/graphql-response+json", "application/json"


class GraphQLEndpoint:
    """An ASGI application for one GraphQL path. `page` is the IDE's HTML with its headers, for browsers."""

    def __init__(
        self, surface: GraphQLSurface, page: Callable[[], tuple[dict[str, str], bytes]] | None = None
    ) -> None:  # fmt: skip
        self._surface, self._page = surface, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        state: dict[str, Any] = scope["state"]
        state["route"] = scope["path"]
        headers: Mapping[bytes, bytes] = state["headers"]
        accepted = headers.get(b"accept", b"*/*").decode("latin-1").lower()
        if self._page is not None and _wants_page(scope, accepted):
            await send_bytes(send, 200, *self._page())
            return
        media = _media(accepted)
        try:
            viewer = await self._surface.gate.admit(headers, state["answer_headers"], scope)
            state["client"] = viewer.client_id
            if media is None:
                raise HttpError(406, "not_acceptable", f"This answers with {GRAPHQL_JSON}, {JSON} or {EVENT_STREAM}.")
            request = await _read(scope, receive, headers)
            asked = self._surface.ask(viewer, request, state["request_id"])
            _check_method(scope["method"], asked.kind)
            if _streams(asked.kind, media, accepted):
                await sse.serve(self._surface, (scope, receive, send), asked)
                return
            outcome = await asked.run(idempotency_key=idempotency_key(headers))
        except (AuthError, DomainError, HttpError) as error:
            await _refuse(send, error, JSON if media in (None, EVENT_STREAM) else media, state["request_id"])
            return
        status = 200 if outcome.data is not None or media == JSON else 400
        replayed = {"idempotency-replayed": "true"} if asked.replayed else {}
        await send_bytes(send, status, _content(media) | replayed, asked.print(outcome))
        asked.note()


def _check_method(method: str, kind: str) -> None:
    if (method == "GET" and kind == "mutation") or (method == "HEAD" and kind != "query"):
        raise HttpError(405, "method_not_allowed", f"A {kind} may not be sent with {method}.", {"allow": "POST"})


def _streams(kind: str, media: str, accepted: str) -> bool:
    """Whether the answer is a stream of events: where that is preferred, and for a subscription wherever it is taken."""
    if kind != "subscription":
        return media == EVENT_STREAM
    if EVENT_STREAM not in accepted:
        told = f"A subscription is answered as {EVENT_STREAM} (send that as Accept), or over a WebSocket at this path."
        raise HttpError(406, "not_acceptable", told)
    return True


def _wants_page(scope: Scope, accepted: str) -> bool:
    return scope["method"] == "GET" and "text/html" in accepted and b"query=" not in scope["query_string"]


def _media(accepted: str) -> str | None:
    """The media type to answer with; */* and no header mean application/json, for the oldest clients."""
    wanted = [part.split(";")[0].strip() for part in accepted.split(",")]
    for media in wanted:
        if media in (GRAPHQL_JSON, EVENT_STREAM):
            return media
        if media in (JSON, "*/*", "application/*"):
            return JSON
    return None


async def _read(scope: Scope, receive: Receive, headers: Mapping[bytes, bytes]) -> GraphQLRequest:
    if scope["method"] in ("GET", "HEAD"):
        return _from_query(scope["query_string"])
    if scope["method"] != "POST":
        raise HttpError(405, "method_not_allowed", "Send GraphQL with GET or POST.", {"allow": "GET, POST"})
    body = parse_json(await read_body(receive), headers)
    if not isinstance(body, dict):
        raise HttpError(400, "bad_request", "The body must be one JSON object with a query; batches are not taken.")
    return read_request(body)


def _from_query(query_string: bytes) -> GraphQLRequest:
    try:
        given: dict[str, Any] = dict(parse_qsl(query_string.decode(), keep_blank_values=True, max_num_fields=20))
        for name in ("variables", "extensions"):
            if given.get(name):
                given[name] = read_json(given[name])
    except ValueError:
        message = "The query string must be UTF-8, and have at most 20 parameters."
        raise HttpError(400, "bad_request", message) from None
    return read_request({name: value for name, value in given.items() if value != ""})


def _content(media: str) -> dict[str, str]:
    return {"content-type": f"{media}; charset=utf-8"}


async def _refuse(send: Send, error: Exception, media: str, request_id: str) -> None:
    """A request that never became an operation: the HTTP status tells, and the body is GraphQL's."""
    headers = _content(media) | (error.headers if isinstance(error, HttpError) else _auth_headers(error))
    await send_bytes(send, status_of(error), headers, orjson.dumps({"errors": [entry_of(error, request_id)]}))


def _auth_headers(error: Exception) -> dict[str, str]:
    challenge, wait = getattr(error, "challenge", None), getattr(error, "retry_after", None)
    return ({"www-authenticate": challenge} if challenge else {}) | ({"retry-after": str(wait)} if wait else {})
