"""This request's batches: every lookup of one kind made in one turn of the loop becomes one statement."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg
from aiodataloader import DataLoader

from auth.viewer import Viewer
from db import cursors, statements
from db.cursors import Cursor, Sort
from db.model import CREATED_ASC, Aggregate, Entity, Relation
from db.rows import hydrate, hydrate_all, hydrate_part
from db.rules import CLIENT, STOREFRONTS, VIEWER
from db.sessions import Database
from db.statements import KEYS, LIMIT, Given, Mark, Statement, Window
from db.tables import Table
from resolvers.errors import Fault, Invalid

T = TypeVar("T", bound=Table)
_UNKNOWN: Any = object()


@dataclass(frozen=True)
class PageArgs:
    """Which page of a list is asked for. `limit` 1 to 100; `last` pages count from the end."""

    limit: int = 20
    backwards: bool = False
    after: Cursor | None = None
    before: Cursor | None = None
    sort: Sort = CREATED_ASC
    filters: tuple[tuple[str, Any], ...] = ()

    @property
    def window(self) -> Window:
        """The same page without its values: what the text of the statement depends on."""
        return Window(
            sort=self.sort,
            backwards=self.backwards,
            after=_mark("after", self.after, self.sort),
            before=_mark("before", self.before, self.sort),
            filters=tuple((name, Given(f"filter.{name}")) for name, _ in self.filters),
        )

    @property
    def values(self) -> dict[Hashable, Any]:
        """The values that the window's sources stand for. One row more than asked tells whether there is a next page."""
        values: dict[Hashable, Any] = {LIMIT: self.limit + 1}
        for name, cursor in (("after", self.after), ("before", self.before)):
            if cursor is not None:
                values[Given(f"{name}.id")] = cursor.id
                values[Given(f"{name}.key")] = cursor.key
        values.update({Given(f"filter.{name}"): value for name, value in self.filters})
        return values


def _mark(name: str, cursor: Cursor | None, sort: Sort) -> Mark | None:
    if cursor is None:
        return None
    return Mark(Given(f"{name}.id"), Given(f"{name}.key") if sort.column is not None else None)


@dataclass(frozen=True)
class Page(Sequence[T]):
    """One page of rows, in the order of the list."""

    rows: list[T]
    args: PageArgs
    has_next: bool = False
    has_previous: bool = False

    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def cursor(self, row: T) -> str:
        """The mark of one of its rows."""
        return cursors.encode(self.args.sort, row)


def _page(rows: list[T], args: PageArgs) -> Page[T]:
    more, rows = len(rows) > args.limit, rows[: args.limit]
    if args.backwards:
        return Page(rows[::-1], args, has_next=args.before is not None, has_previous=more)
    return Page(rows, args, has_next=more, has_previous=args.after is not None)


class SharedLoader(DataLoader[str, Any]):
    """A loader whose futures may be shared: where one field's error cancels its siblings, a row that some other field
    waits for too must still come.
    """

    def load(self, key: str) -> "asyncio.Future[Any]":
        """The value of this key; to cancel it cancels nobody else's."""
        return asyncio.shield(super().load(key))


class Loaders:
    """Made for one request inside its event loop; each loader is made when it is first asked for."""

    def __init__(self, db: Database, viewer: Viewer) -> None:
        self._db = db
        self._viewer = viewer
        self._made: dict[Hashable, SharedLoader] = {}
        self._known: dict[tuple[str, str], Any] = {}  # what came along with a row before it was asked for

    def forget(self) -> None:
        """Drops what was read: a write has made it stale."""
        self._made.clear()
        self._known.clear()

    async def row(self, entity: Entity[T], id: str) -> T | None:  # noqa: A002 - the field's name
        """The row with this id, where the viewer may see it."""
        return await self.row_by(entity, "id", id)

    async def row_by(self, entity: Entity[T], column: str, value: str) -> T | None:
        """The row with this value in a unique column, where the viewer may see it."""
        if "\0" in value:  # PostgreSQL keeps no such text
            return None
        name = f"{entity.name}_by_{column}"
        found: T | None = await self._by_key(name, entity, column, entity.visible).load(value)
        return found

    async def row_with(
        self, entity: Entity[T], id: str, ones: tuple[Relation[Any], ...], values: tuple[Aggregate, ...]  # noqa: A002
    ) -> T | None:  # fmt: skip
        """The same as `row`, in one statement with what will be asked of it next: the loaders then have that already."""
        statement = statements.with_parts(entity, ones, values, self._viewer.sight)
        records = await self.fetch(statement, {KEYS: id})
        if not records:
            return None
        record = records[0]
        row = hydrate(entity.table, record)
        for place, relation in enumerate(ones):
            far = hydrate_part(relation.target.table, record, f"o{place}.")
            self._known[relation.name, getattr(row, relation.near)] = far
        for place, item in enumerate(values):
            value = record[f"v{place}"]
            self._known[item.name, getattr(row, item.relation.near)] = item.empty if value is None else value
        return row

    async def one(self, relation: Relation[T], key: str | None) -> T | None:
        """The single row at the far end."""
        if key is None:
            return None
        known = self._known.get((relation.name, key), _UNKNOWN)
        if known is not _UNKNOWN:
            return known  # type: ignore[no-any-return]
        loader = self._by_key(relation.name, relation.target, relation.far, relation.seen)
        found: T | None = await loader.load(key)
        return found

    async def page(self, relation: Relation[T], key: str, args: PageArgs) -> Page[T]:
        """A page of the rows at the far end."""
        name = (relation.name, args)
        if name not in self._made:

            async def batch(keys: list[str]) -> list[Page[T]]:
                return await self._pages(relation, args, keys)

            self._made[name] = SharedLoader(batch)
        found: Page[T] = await self._made[name].load(key)
        return found

    async def all(self, relation: Relation[T], key: str) -> list[T]:
        """Every row at the far end, for lists that are bounded by nature (a product's variants)."""
        return (await self.page(relation, key, PageArgs(limit=10_000))).rows

    async def aggregate(self, item: Aggregate, key: str) -> Any:
        """A declared count, sum or test over the far end."""
        known = self._known.get((item.name, key), _UNKNOWN)
        if known is not _UNKNOWN:
            return known
        return await self._values(item.name, item.value, item.relation, (), item.empty).load(key)

    async def count(self, relation: Relation[Any], key: str, filters: tuple[tuple[str, Any], ...]) -> int:
        """How many rows the whole list has."""
        total: int = await self._values(f"count:{relation.name}", "count(*)::int", relation, filters, 0).load(key)
        return total

    async def batched(self, name: str, key: str, batch: Callable[[list[str]], Coroutine[Any, Any, list[Any]]]) -> Any:
        """A lookup that no relation declares, made for all keys that are asked for in one turn of the loop."""
        if name not in self._made:
            self._made[name] = SharedLoader(batch)
        return await self._made[name].load(key)

    async def fetch(self, statement: Statement, values: Mapping[Hashable, Any]) -> list[Any]:
        """Runs a statement with these values and the viewer's own."""
        viewer = self._viewer
        own = {VIEWER: viewer.user_id, CLIENT: viewer.client_id, STOREFRONTS: list(viewer.storefront_ids or ())}
        given = {**own, **values}
        try:
            return await self._db.fetch(statement.sql, [given[source] for source in statement.sources])
        except asyncpg.DataError as error:
            raise Invalid(Fault("", "asks for text or a number that nothing can have, such as a NUL")) from error

    def _by_key(self, name: str, entity: Entity[T], column: str, seen: Any) -> SharedLoader:
        async def batch(keys: list[str]) -> list[T | None]:
            statement = statements.by_key(entity, column, self._viewer.sight, seen)
            found = hydrate_all(entity.table, await self.fetch(statement, {KEYS: keys}))
            rows = {getattr(row, column): row for row in found}
            return [rows.get(key) for key in keys]

        if name not in self._made:
            self._made[name] = SharedLoader(batch)
        return self._made[name]

    async def _pages(self, relation: Relation[T], args: PageArgs, keys: list[str]) -> list[Page[T]]:
        statement = statements.page(relation, args.window, self._viewer.sight)
        records = await self.fetch(statement, {KEYS: keys, **args.values})
        table = relation.target.table
        if relation.source is None:
            return [_page(hydrate_all(table, records), args)]
        rows: dict[str, list[T]] = {key: [] for key in keys}
        for record in records:
            rows[record["_key"]].append(hydrate(table, record))
        return [_page(rows[key], args) for key in keys]

    def _values(
        self, name: str, value: str, relation: Relation[Any], filters: tuple[tuple[str, Any], ...], empty: Any
    ) -> SharedLoader:
        async def batch(keys: list[str]) -> list[Any]:
            args = PageArgs(filters=filters)
            statement = statements.aggregate(value, relation, args.window, self._viewer.sight)
            records = await self.fetch(statement, {KEYS: keys, **args.values})
            if relation.source is None:
                return [records[0][0] if records else empty]
            found = {record[0]: record[1] for record in records}
            return [found.get(key, empty) for key in keys]

        key = (name, filters)
        if key not in self._made:
            self._made[key] = SharedLoader(batch)
        return self._made[key]
