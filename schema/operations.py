"""What every way of sending an operation shares: one request over HTTP, an event stream, a socket."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import orjson

from auth.gate import Gate
from auth.viewer import Viewer
from db.deprecation import Deprecation
from db.sessions import Database
from execution.engine import Engine, GraphQLRequest, Operation
from execution.outcomes import Outcome
from execution.subscriptions import Subscription
from resolvers.context import Context, new_context, utc_now
from resolvers.platform import Platform
from schema.errors import told
from wire.errors import HttpError
from wire.streams import OpenStreams


@dataclass(frozen=True)
class GraphQLSurface:
    """`engine_for` gives the schema that a viewer sees, with its engine."""

    engine_for: Callable[[Viewer], Engine]
    db: Database
    gate: Gate
    platform: Platform
    streams: OpenStreams

    def ask(self, viewer: Viewer, request: GraphQLRequest, request_id: str) -> "Asked":
        """An operation that this viewer asks for; `run` or `subscribe` to it."""
        return Asked(self, viewer, request, request_id)


class Asked:
    """One operation, however it came: run, printed, and counted as used."""

    def __init__(self, surface: GraphQLSurface, viewer: Viewer, request: GraphQLRequest, request_id: str) -> None:
        self.viewer, self.request, self.request_id = viewer, request, request_id
        self._surface, self._engine = surface, surface.engine_for(viewer)
        self._operation = self._engine.prepare(request)
        self._replays: list[bool] = []

    @property
    def kind(self) -> str:
        """query, mutation or subscription; a document that is none counts as a query."""
        return self._operation.kind

    async def run(self, **more: Any) -> Outcome:
        """The one outcome of a query or mutation; `more` is for the resolvers' context."""
        if isinstance(self._operation, Outcome):
            return self._operation
        return await self._engine.run(self._operation, self.request, self.viewer, self._contexts(more))

    @property
    def replayed(self) -> bool:
        """Whether it wrote, and every answer was one that had been given before (an idempotency key)."""
        return bool(self._replays) and all(self._replays)

    async def subscribe(self, **more: Any) -> Subscription | Outcome:
        """Opens a subscription, or says why it cannot be opened."""
        if isinstance(self._operation, Outcome):
            return self._operation
        opened = await self._engine.subscribe(self._operation, self.request, self.viewer, self._contexts(more))
        if isinstance(opened, Subscription):
            self.note()
        return opened

    def _contexts(self, more: Mapping[str, Any]) -> Callable[[], Context]:
        surface = self._surface

        def made() -> Context:
            ctx = new_context(self.viewer, surface.db, surface.platform, request_id=self.request_id, **more)
            return replace(ctx, replays=self._replays)

        return made

    def note(self) -> None:
        """Counts what was used; nobody needs to wait for it."""
        usage = self._surface.platform.usage
        if isinstance(self._operation, Operation) and usage is not None:
            usage.note(self.viewer.client_id, self._operation.usage.given(self.request.variables), self._operation.name)

    def print(self, outcome: Outcome) -> bytes:
        """The answer: errors first, so that a reader sees them first; `extensions.cost` always."""
        parts = []
        if outcome.errors:
            parts.append(b'"errors":' + print_errors(outcome.errors, self.request_id))
        if outcome.data is not None:
            parts.append(b'"data":' + outcome.data)
        cost = b'{"requested":%d,"limit":%d}' % (outcome.cost or 0, self._engine.cost_limit)
        parts.append(b'"extensions":{"cost":' + cost + self._deprecations + b"}")
        return b"{" + b",".join(parts) + b"}"

    @cached_property
    def _deprecations(self) -> bytes:
        if isinstance(self._operation, Outcome):
            return b""
        return print_deprecations(self._engine.deprecations(self._operation, self.request))


def read_request(given: Mapping[str, Any]) -> GraphQLRequest:
    """The request's parameters; HttpError where one is none."""
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


def print_deprecations(used: list[tuple[str, Deprecation]]) -> bytes:
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


def print_errors(errors: list[Exception], request_id: str) -> bytes:
    """The list that stands in `errors`."""
    return orjson.dumps([entry_of(error, request_id) for error in errors])


def entry_of(error: Exception, request_id: str) -> dict[str, Any]:
    """One entry of `errors`, of a request too that never became an operation."""
    if isinstance(error, HttpError):
        return {"message": error.detail, "extensions": {"code": "BAD_INPUT", "requestId": request_id}}
    return told(error, request_id)
