"""A log that is read on and on. The log itself is the buffer: what nobody takes is not read."""

from collections.abc import Awaitable, Callable, Sized
from dataclasses import dataclass, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Generic, Self, TypeVar

from db import cursors
from db.cursors import Cursor
from db.relations import EVENTS, FEED_ENTRY
from db.tables import FeedEntry
from resolvers import reads
from resolvers.context import Context
from resolvers.loaders import Page
from webhooks import log
from webhooks.bell import Ear

P = TypeVar("P", bound=Sized)
PAGE = 50


class Following(Generic[P]):
    """Pages as they come, none of them empty; between two of them no connection is held. To be closed when done with.

    `start`: the cursor from which the first page goes on, where one can be named.
    """

    def __init__(self, ear: Ear, read: Callable[[], Awaitable[P]], start: str | None) -> None:
        self.start = start
        self._ear, self._read = ear.__enter__(), read

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> P:
        """The next page; waits for one where there is none yet."""
        while True:
            self._ear.clear()
            page = await self._read()
            if page:
                return page
            await self._ear.wait()

    def close(self) -> None:
        """Nothing more is wanted."""
        self._ear.close()


def ear_of(ctx: Context) -> Ear:
    """Hears of news in the viewer's log."""
    bell = ctx.platform.bell
    assert bell is not None  # noqa: S101 - every application has one
    return bell.listen(ctx.viewer.user_id)


@dataclass(frozen=True)
class Told:
    """Entries of a log, with the context whose loaders read them: what hangs on them is read together."""

    ctx: Context
    page: Page[FeedEntry]

    def __len__(self) -> int:
        return len(self.page)


async def follow_entries(
    ctx: Context, *, after: str | None = None, types: tuple[str, ...] | None = None, since: datetime | None = None
) -> Following[Told]:
    """The entries that the connection `events` lists, and those to come: after a cursor of it, or since a time, or else
    from now. Where the reader's connection broke (`ctx.last_event_id`) comes before `after`."""
    reads.require(ctx, EVENTS)
    filters = tuple((name, value) for name, value in (("types", types), ("since", since)) if value is not None)
    args = reads.page_args(EVENTS, first=PAGE, after=ctx.last_event_id or after, filters=filters)
    if args.after is None and since is None:
        position, event_id = await log.newest(ctx.db, ctx.viewer.user_id)
        args = replace(args, after=Cursor(event_id, position))

    async def read() -> Told:
        nonlocal args
        fresh = ctx.fresh()
        page = await fresh.loaders.page(EVENTS, "", args)
        if page.rows:
            args = replace(args, after=Cursor(page.rows[-1].event_id, page.rows[-1].position))
        return Told(fresh, page)

    start = None
    if args.after is not None:
        place = SimpleNamespace(event_id=args.after.id, position=args.after.key)
        start = cursors.encode(FEED_ENTRY.sorts["CREATED_AT_ASC"], place)
    return Following(ear_of(ctx), read, start)
