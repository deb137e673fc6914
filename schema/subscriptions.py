"""GraphQL: what can be followed, over server-sent events or a WebSocket."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import strawberry
from strawberry import UNSET, Info

from resolvers.following import Following, Told, follow_entries
from schema.events import EVENTS_PREVIEW, Event, EventType
from schema.fields import context_of
from schema.paging import Edge, EdgeOf


@dataclass(frozen=True)
class EdgesOf:
    """A page of what was told, as edges of the connection."""

    told: Told

    @property
    def context(self) -> Any:
        """The context in which they are resolved."""
        return self.told.ctx

    @property
    def items(self) -> Sequence[EdgeOf]:
        """Each entry with its cursor."""
        return [EdgeOf(self.told.page, row) for row in self.told.page]


class EventSource:
    """What `events` resolves to: a source of pages for `execution.subscriptions`."""

    def __init__(self, following: Following[Told]) -> None:
        self.start = following.start
        self._following = following

    def __aiter__(self) -> AsyncIterator[EdgesOf]:
        return self

    async def __anext__(self) -> EdgesOf:
        """The next page."""
        return EdgesOf(await anext(self._following))

    def close(self) -> None:
        """Nothing more is wanted."""
        self._following.close()


async def _events(
    info: Info, types: list[EventType] | None = UNSET, since: datetime | None = UNSET, after: str | None = UNSET
) -> AsyncIterator[Edge[Event]]:
    wanted = tuple(kind.value for kind in types) if types else () if types == [] else None
    following = await follow_entries(context_of(info), after=after or None, types=wanted, since=since or None)
    source: Any = EventSource(following)  # pages of edges, which the engine resolves one by one
    return source  # type: ignore[no-any-return]


_followed: Any = strawberry.subscription(
    resolver=_events, directives=[EVENTS_PREVIEW],
    description="What the connection `events` lists and what is still to come, after a cursor or since a time; with "
    "neither, from now. Keep the last `cursor` and go on `after` it.",
)  # fmt: skip


@strawberry.type
class Subscription:
    """What can be followed."""

    events: Edge[Event] = _followed
