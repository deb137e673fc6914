"""REST v1: the log of events, and the catalogue of their types."""

from collections.abc import AsyncIterator
from typing import Annotated

from pydantic import AfterValidator, Field

from db.bodies.base import encode
from db.bodies.webhooks import EventBody, EventTypeBody
from db.ids import ULID_PATTERN
from resolvers import events
from resolvers.events import EventsAsked
from resolvers.inputs import MomentInput
from rest_facade import examples
from rest_facade.call import Answer, Call, EventStream
from rest_facade.endpoint import envelope
from rest_facade.queries import ListQuery
from rest_facade.route import Route
from rest_facade.webhooks import SCOPE
from webhooks.events import CATALOGUE, OPERATIONAL
from wire.sse import MEDIA, event

TAG = "Events"


def _types(value: str) -> str:
    unknown = [name for name in value.split(",") if name not in CATALOGUE and name not in OPERATIONAL]
    if unknown:
        raise ValueError(f"names {unknown[0]!r}, which is no event type; see GET /v1/events/types")
    return value


_TYPE = f"({'|'.join([*CATALOGUE, *OPERATIONAL])})".replace(".", "[.]")
_TYPES = f"^{_TYPE}(,{_TYPE}){{0,9}}$"


class EventsQuery(ListQuery):
    """Which events. As `text/event-stream` they are sent as they come, from now on where neither a cursor nor a time is
    given, and `limit` and `wait` do not count. Else keep `next_cursor`, also when there are no more for now."""

    type: (
        Annotated[str, Field(max_length=500, json_schema_extra={"pattern": _TYPES}), AfterValidator(_types)] | None
    ) = Field(None, description="Event types, separated by commas.", examples=["order.created"])
    storefront_id: Annotated[str, Field(pattern=f"^sf_{ULID_PATTERN}$")] | None = Field(None, alias="storefrontId")
    since: MomentInput | None = Field(None, description="Those written at this time or later.")
    wait: int = Field(0, ge=0, le=25, description="Seconds to wait for an event where there is none yet.")


async def index(call: Call) -> Answer:
    """The next events."""
    query: EventsQuery = call.query
    types = None if query.type is None else query.type.split(",")
    asked = EventsAsked(query.cursor, types, query.storefront_id, query.since, query.limit, float(query.wait))
    if MEDIA in call.headers.get(b"accept", b"").decode("latin-1").lower() and call.scope["method"] == "GET":
        return await _stream(call, asked)
    page = await events.list_events(call.ctx, asked=asked)
    answer = envelope(call, [event.as_json() for event in page.events], page.cursor if page.has_more else None)
    return Answer({**answer.body, "next_cursor": page.cursor}, headers=answer.headers)


async def _stream(call: Call, asked: EventsAsked) -> Answer:
    """The same as server-sent events, for as long as the caller listens."""
    following = await events.follow_events(call.ctx, asked=asked)

    async def pages() -> AsyncIterator[list[bytes]]:
        async for page in following:
            yield [event(encode(body.as_json()), id=cursor) for cursor, body in page]

    return Answer(events=EventStream(call.ctx.viewer, following.start, pages(), following.close))


async def types(call: Call) -> Answer:
    """The catalogue."""
    return envelope(call, [kind.as_json() for kind in events.event_types()], None)


_STREAMED = event(encode(examples.EVENT), id="ZmVlZCA0Mg").decode()
ROUTES = (
    Route(
        "GET", "/v1/events", index, "The events that concern you, oldest first, for 30 days", TAG, {200: EventBody},
        scope=SCOPE, query=EventsQuery, listed=True, example_answer=examples.EVENT, streamed=_STREAMED,
    ),
    Route(
        "GET", "/v1/events/types", types, "Every type of event with its JSON Schema and an example", TAG,
        {200: EventTypeBody}, listed=True, example_answer=examples.EVENT_TYPE,
    ),
)  # fmt: skip
