"""Relay's connections: `nodes`, `edges`, `pageInfo`, `totalCount`, each fetched only where it is asked for."""

from functools import cached_property
from typing import Any, Generic, TypeVar

import strawberry

from db.model import Relation
from resolvers.context import Context
from resolvers.loaders import Page, PageArgs

N = TypeVar("N")


class ConnectionOf:
    """What a connection resolves from: the page is loaded when first touched, and once."""

    def __init__(self, ctx: Context, relation: Relation[Any], key: str, args: PageArgs) -> None:
        self._ctx, self._relation, self._key, self._args = ctx, relation, key, args

    async def page(self) -> Page[Any]:
        """The page; the loader keeps it, so asking again costs nothing."""
        return await self._ctx.loaders.page(self._relation, self._key, self._args)

    async def count(self) -> int:
        """How many rows the whole list has."""
        return await self._ctx.loaders.count(self._relation, self._key, self._args.filters)


class EdgeOf:
    """What an edge resolves from."""

    def __init__(self, page: Page[Any], node: Any) -> None:
        self.node = node
        self._page = page

    @cached_property
    def cursor(self) -> str:
        """The row's place in the list."""
        return self._page.cursor(self.node)


class PageInfoOf:
    """What a page's information resolves from."""

    def __init__(self, page: Page[Any]) -> None:
        self.has_next_page = page.has_next
        self.has_previous_page = page.has_previous
        self.start_cursor = page.cursor(page.rows[0]) if page.rows else None
        self.end_cursor = page.cursor(page.rows[-1]) if page.rows else None


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's page information."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="One item of a list and its place.")
class Edge(Generic[N]):
    """An item with its cursor."""

    cursor: str
    node: N


async def _nodes(root: Any):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the class says the type
    return (await root.page()).rows


async def _edges(root: Any):  # type: ignore[no-untyped-def]  # noqa: ANN202
    page = await root.page()
    return [EdgeOf(page, row) for row in page.rows]


async def _page_info(root: Any):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return PageInfoOf(await root.page())


async def _total_count(root: Any):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return await root.count()


@strawberry.type(description="One page of a list.")
class Connection(Generic[N]):
    """Resolves from `ConnectionOf`."""

    nodes: list[N] = strawberry.field(resolver=_nodes)
    edges: list[Edge[N]] = strawberry.field(resolver=_edges)
    page_info: PageInfo = strawberry.field(resolver=_page_info)
    total_count: int = strawberry.field(resolver=_total_count, description="How many items the whole list has.")
