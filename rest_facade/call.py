"""What a route's handler is given, and what it gives back."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope

from auth.viewer import Viewer
from db.bodies.base import Body
from resolvers.context import Context
from resolvers.writes import Written


@dataclass(frozen=True)
class Call:
    """One request, parsed: `query` and `body` are instances of the models that the route names."""

    ctx: Context
    path: Mapping[str, str]
    query: Any
    body: Any
    headers: Mapping[bytes, bytes]
    scope: Scope
    receive: Receive

    @property
    def if_match(self) -> str | None:
        """The validator that a write is held to."""
        value = self.headers.get(b"if-match")
        return None if value is None else value.decode("latin-1")


@dataclass(frozen=True)
class EventStream:
    """Server-sent events without an end: from where they go on, their pages as bytes, and what to call when done."""

    viewer: Viewer
    start: str | None
    pages: AsyncIterator[list[bytes]]
    close: Callable[[], None]


@dataclass(frozen=True)
class Answer:
    """A status, a JSON body (None: no body) and headers. `stream` opens a body of other bytes, sent piece by piece; `events`
    is one of server-sent events."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    stream: Callable[[], Awaitable[AsyncIterator[bytes]]] | None = None
    events: EventStream | None = None


def shown(body: Body) -> Answer:
    """200 with a body."""
    return Answer(body.as_json())


def written(outcome: Written, location: str = "") -> Answer:
    """201 where something is new (with its `Location`), 200 otherwise; the first answer again for a repeated request."""
    headers = {"idempotency-replayed": "true"} if outcome.replayed else {}
    if outcome.created and location:
        headers["location"] = location.format(**outcome.body)
    return Answer(outcome.body, 201 if outcome.created else 200, headers)
