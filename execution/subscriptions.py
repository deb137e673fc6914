"""A subscription: a source of pages, and each of their items executed as the operation's root (GraphQL spec 6.2.3).

A page's items share a context, so that what hangs on them is read together; the next page has another one, so nothing
that was read is kept for longer than a page.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, Self

from execution.outcomes import Outcome


class Items(Protocol):
    """One page of a source. Each item has a `cursor`, after which its reader can go on."""

    @property
    def context(self) -> Any: ...
    @property
    def items(self) -> Sequence[Any]: ...


class Source(Protocol):
    """What the resolver of a subscription's field returns. `start`: the cursor before its first item, where it has one."""

    @property
    def start(self) -> str | None: ...
    async def __anext__(self) -> Items: ...
    def close(self) -> None: ...


class Subscription:
    """The answers, some at a time with their cursors. `most`: how many items are executed at once."""

    def __init__(self, source: Source, execute: Callable[[Any, Any], Awaitable[Outcome]], most: int) -> None:
        self._source, self._execute, self._most = source, execute, max(1, most)
        self._items: Sequence[Any] = ()
        self._context: Any = None

    @property
    def start(self) -> str | None:
        """The cursor before the first answer."""
        return self._source.start

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[tuple[str, Outcome]]:
        """The next answers, in the order of the source."""
        if not self._items:
            page = await anext(self._source)
            self._items, self._context = page.items, page.context
        items, self._items = self._items[: self._most], self._items[self._most :]
        outcomes = await asyncio.gather(*(self._execute(item, self._context) for item in items))
        return [(item.cursor, outcome) for item, outcome in zip(items, outcomes, strict=True)]

    def close(self) -> None:
        """Nothing more is wanted."""
        self._source.close()
