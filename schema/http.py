"""GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/): what comes in, what goes out."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope, Send

from auth.errors import AuthError
from auth.gate import Gate
from auth.viewer import Viewer
from db.deprecation import Deprecation
from db.sessions import Database
from execution.engine import Engine, GraphQLRequest, Operation, Outcome
from resolvers.context import Context, new_context, utc_now
from resolvers.errors import DomainError
from resolvers.platform import Platform
from schema.errors import told
from wire.errors import HttpError, status_of
from wire.requests import idempotency_key, parse_json, read_body, read_json
from wire.responses import send_bytes

GRAPHQL_JSON, JSON = "application/graphql-response+json", "application/json"


class GraphQLEndpoint:
    """An ASGI application for one GraphQL path. `page` is the IDE's HTML with its headers, for browsers."""

    def __init__(
        self, engine: Callable[[Viewer], Engine], db: Database, gate: Gate, platform: Platform,
        page: Callable[[], tuple[dict[str, str], bytes]] | None = None,
    ) -> None:  # fmt: skip
        self._engine_for, self._db, self._gate, self._platform, self._page = engine, db, gate, platform, page

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
            viewer = await self._gate.admit(headers, state["answer_headers"], scope)
            state["client"] = viewer.client_id
            if media is None:
                raise HttpError(406, "not_acceptable", f"This answers with {GRAPHQL_JSON} or {JSON}.")
            request = await _read(scope, receive, headers)
            engine = self._engine_for(viewer)
            operation = _prepare(engine, scope["method"], request)
            if isinstance(operation, Outcome):
                outcome, told = operation, b""
            else:
                outcome = await self._run(engine, operation, request, viewer, state)
                told = _print_deprecations(engine.deprecations(operation, request))
        except (AuthError, DomainError, HttpError) as error:
            await _refuse(send, error, media or JSON, state["request_id"])
            return
        status = 200 if outcome.data is not None or media == JSON else 400
        await send_bytes(send, status, _content(media), _print(outcome, engine.cost_limit, state["request_id"], told))
        if isinstance(operation, Operation) and self._platform.usage is not None:
            self._platform.usage.note(viewer.client_id, operation.usage.given(request.variables), operation.name)

    async def _run(
        self, engine: Engine, operation: Operation, request: GraphQLRequest, viewer: Viewer, state: dict[str, Any]
    ) -> Outcome:
        key = idempotency_key(state["headers"])

        def context() -> Context:
            return new_context(viewer, self._db, self._platform, request_id=state["request_id"], idempotency_key=key)

        return await engine.run(operation, request, viewer, context)


def _prepare(engine: Engine, method: str, request: GraphQLRequest) -> Operation | Outcome:
    prepared = engine.prepare(request)
    if isinstance(prepared, Operation) and method == "GET" and prepared.kind != "query":
        raise HttpError(405, "method_not_allowed", "Only queries may be sent with GET.", {"allow": "POST"})
    return prepared


def _wants_page(scope: Scope, accepted: str) -> bool:
    return scope["method"] == "GET" and "text/html" in accepted and b"query=" not in scope["query_string"]


def _media(accepted: str) -> str | None:
    """The media type to answer with; */* and no header mean application/json, for the oldest clients."""
    wanted = [part.split(";")[0].strip() for part in accepted.split(",")]
    for media in wanted:
        if media == GRAPHQL_JSON:
            return GRAPHQL_JSON
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
    return _request(body)


def _from_query(query_string: bytes) -> GraphQLRequest:
    try:
        given: dict[str, Any] = dict(parse_qsl(query_string.decode(), keep_blank_values=True, max_num_fields=20))
        for name in ("variables", "extensions"):
            if given.get(name):
                given[name] = read_json(given[name])
    except ValueError:
        message = "The query string must be UTF-8, and have at most 20 parameters."
        raise HttpError(400, "bad_request", message) from None
    return _request({name: value for name, value in given.items() if value != ""})


def _request(given: Mapping[str, Any]) -> GraphQLRequest:
    query, variables, name = given.get("query"), given.get("variables"), given.get("operationName")
    if not isinstance(query, str):
        raise HttpError(400, "bad_request", "The parameter query must be a GraphQL document as text.")
    if not isinstance(variables, dict | None):
        raise HttpError(400, "bad_request", "The parameter variables must be an object.")
    if not isinstance(name, str | None):
        raise HttpError(400, "bad_request", "The parameter operationName must be text.")
    if not isinstance(given.get("extensions"), dict | None):
        raise HttpError(400, "bad_request", "The parameter extensions must be an object.")
    return GraphQLRequest(query, variables or {}, name)


def _content(media: str) -> dict[str, str]:
    return {"content-type": f"{media}; charset=utf-8"}


def _print(outcome: Outcome, cost_limit: int, request_id: str, deprecations: bytes) -> bytes:
    """The answer: errors first, so that a reader sees them first; `extensions.cost` always."""
    parts = []
    if outcome.errors:
        parts.append(b'"errors":' + orjson.dumps([told(error, request_id) for error in outcome.errors]))
    if outcome.data is not None:
        parts.append(b'"data":' + outcome.data)
    cost = b'{"requested":%d,"limit":%d}' % (outcome.cost or 0, cost_limit)
    parts.append(b'"extensions":{"cost":' + cost + deprecations + b"}")
    return b"{" + b",".join(parts) + b"}"


def _print_deprecations(used: list[tuple[str, Deprecation]]) -> bytes:
    """`extensions.deprecations`: what the request used that will end; nothing where it used nothing such."""
    if not used:
        return b""
    today = utc_now().date()
    told = [
        {
            "coordinate": coordinate, "replacement": mark.replacement, "sunset": mark.sunset,
            "daysLeft": mark.days_left(today),
        }
        for coordinate, mark in used
    ]  # fmt: skip
    return b',"deprecations":' + orjson.dumps(told)


async def _refuse(send: Send, error: Exception, media: str, request_id: str) -> None:
    """A request that never became an operation: the HTTP status tells, and the body is GraphQL's."""
    headers = _content(media)
    if isinstance(error, HttpError):
        entry = {"message": error.detail, "extensions": {"code": "BAD_INPUT", "requestId": request_id}}
        headers |= error.headers
    else:
        entry = told(error, request_id)
        headers |= _auth_headers(error)
    await send_bytes(send, status_of(error), headers, orjson.dumps({"errors": [entry]}))


def _auth_headers(error: Exception) -> dict[str, str]:
    challenge, wait = getattr(error, "challenge", None), getattr(error, "retry_after", None)
    return ({"www-authenticate": challenge} if challenge else {}) | ({"retry-after": str(wait)} if wait else {})
