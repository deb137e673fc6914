"""One route of REST v1: what it takes, what it answers, who may call it. Served from this, and described from this."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from db.deprecation import Deprecation
from rest_facade.call import Answer, Call
from rest_facade.queries import Query
from rest_facade.usage import RouteUse

Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True)
class Route:
    """`answers` gives the model of each good status (None: no body); `listed`: a list of such models in an envelope.

    `tells`: what is posted to the address that the body's `url` names, by the type of event: the model of its `data`.

    `streamed`: an example of the same list as server-sent events, where it can be followed as such.

    `errors`: the statuses of problems beyond those that every route can answer. `body` None: the request has none;
    `raw` True: the handler reads the body itself (`multipart` describes its fields). `public`: no token is asked for.
    `deprecated`: the end of the whole route; that of a parameter or field stands among its annotations.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    answers: Mapping[int, type[BaseModel] | None]
    scope: str | None = None
    query: type[Query] = Query
    body: type[BaseModel] | None = None
    listed: bool = False
    errors: tuple[int, ...] = ()
    example: Any = None
    example_answer: Any = None
    raw: bool = False
    multipart: Mapping[str, Any] = field(default_factory=dict)
    public: bool = False
    tells: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    content_type: str = "application/json"
    deprecated: Deprecation | None = None
    streamed: str = ""

    @property
    def operation_id(self) -> str:
        """A name that client generators can use, and no other route has: the handler's module and name."""
        return f"{self.handler.__module__.rsplit('.', 1)[-1]}_{self.handler.__name__.strip('_')}"

    @cached_property
    def use(self) -> RouteUse:
        """Its coordinates, and what of them will end."""
        answers = [*self.answers.values(), *self.tells.values()]
        return RouteUse(f"{self.method} {self.path}", self.query, self.body, answers, self.deprecated)
