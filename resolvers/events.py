"""The log of events: a pull alternative to webhooks, and the catalogue of types."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from db.bodies.webhooks import EventBody, EventTypeBody
from resolvers.context import Context
from resolvers.errors import Fault, Invalid
from resolvers.following import PAGE, Following, ear_of
from webhooks import log, shapes


@dataclass(frozen=True)
class EventsAsked:
    """Which events: after a cursor, of some types, of one storefront, since a time. `wait`: seconds for one to come."""

    cursor: str | None = None
    types: Sequence[str] | None = None
    storefront_id: str | None = None
    since: datetime | None = None
    limit: int = 20
    wait: float = 0.0


@dataclass(frozen=True)
class EventsPage:
    """Events in the order of the log, and where to go on: also when there are no more for now."""

    events: list[EventBody]
    cursor: str
    has_more: bool


async def list_events(ctx: Context, *, asked: EventsAsked) -> EventsPage:
    """The next events that concern the viewer, of the last 30 days."""
    ctx.require("webhooks:manage")
    reading = _reading(ctx, asked)
    rows = await log.read(ctx.db, reading, asked.limit + 1)
    if not rows and asked.wait:
        rows = await _awaited(ctx, reading, asked)
    shown = rows[: asked.limit]
    position = shown[-1]["position"] if shown else reading.after
    return EventsPage([EventBody.of(row) for row in shown], log.cursor(position), len(rows) > asked.limit)


async def _awaited(ctx: Context, reading: log.Reading, asked: EventsAsked) -> list[Any]:
    following = Following(ear_of(ctx), lambda: log.read(ctx.db, reading, asked.limit + 1), None)
    try:
        async with asyncio.timeout(asked.wait):
            return await anext(following)
    except TimeoutError:
        return []
    finally:
        following.close()


async def follow_events(ctx: Context, *, asked: EventsAsked) -> Following[list[tuple[str, EventBody]]]:
    """The events that `list_events` lists with their cursors, and those to come; without a cursor or a time, from now."""
    ctx.require("webhooks:manage")
    reading = _reading(ctx, replace(asked, cursor=ctx.last_event_id or asked.cursor))
    if ctx.last_event_id is None and asked.cursor is None and asked.since is None:
        reading = replace(reading, after=(await log.newest(ctx.db, ctx.viewer.user_id))[0])

    async def read() -> list[tuple[str, EventBody]]:
        nonlocal reading
        rows = await log.read(ctx.db, reading, PAGE)
        if rows:
            reading = replace(reading, after=rows[-1]["position"])
        return [(log.cursor(row["position"]), EventBody.of(row)) for row in rows]

    return Following(ear_of(ctx), read, log.cursor(reading.after))


def _reading(ctx: Context, asked: EventsAsked) -> log.Reading:
    try:
        after = 0 if asked.cursor is None else log.position(asked.cursor)
    except log.BadPosition:
        raise Invalid(Fault("/cursor", "is not a cursor of this log")) from None
    storefronts = None if asked.storefront_id is None else [asked.storefront_id]
    held = ctx.viewer.storefront_ids
    if held is not None:
        storefronts = sorted(held if storefronts is None else held.intersection(storefronts))
    return log.Reading(ctx.viewer.user_id, after, asked.types, storefronts, asked.since)


def event_types() -> list[EventTypeBody]:
    """The catalogue."""
    return shapes.catalogue()
