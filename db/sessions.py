"""The way to PostgreSQL: a pool of prepared reads, and transactions for writes. The two are different types on purpose."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

# Statements sent for the request at hand; the access log and the tests read it.
statements_sent: ContextVar[list[int] | None] = ContextVar("statements_sent", default=None)


def count_statement() -> None:
    """Adds one to the count of the request at hand, where one is kept."""
    counter = statements_sent.get()
    if counter is not None:
        counter[0] += 1


class WriteSession(AsyncSession):
    """A session inside one write transaction; only `Database.write` makes them."""


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()


async def prepare_connection(connection: asyncpg.Connection) -> None:
    """Makes a connection read and write `json` columns as Python values."""
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=orjson.dumps, decoder=orjson.loads, format="binary"
    )


async def _keep_as_it_is(connection: asyncpg.Connection) -> None:
    """Reads leave no state behind on a connection, so nothing needs resetting between two uses."""


class Database:
    """One process's connections. `fetch` for reads, `write` for changes; nothing else reaches PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool, engine: AsyncEngine) -> None:
        self.pool = pool
        self.engine = engine

    @classmethod
    async def open(cls, dsn: str, *, readers: int = 10, writers: int = 10) -> "Database":
        """Connects to `dsn` (`postgresql://…`)."""
        pool = await asyncpg.create_pool(
            dsn, min_size=1, max_size=readers, init=prepare_connection, reset=_keep_as_it_is,
            server_settings={"jit": "off", "plan_cache_mode": "force_generic_plan"},
            statement_cache_size=1000, max_cached_statement_lifetime=0, max_inactive_connection_lifetime=0,
        )  # fmt: skip
        url = make_url(dsn).set(drivername="postgresql+asyncpg")
        engine = create_async_engine(
            url, pool_size=writers, max_overflow=0, json_serializer=_dump, json_deserializer=orjson.loads
        )
        event.listen(engine.sync_engine, "before_cursor_execute", lambda *_: count_statement())
        return cls(pool, engine)

    async def close(self) -> None:
        """Lets every connection go."""
        await self.engine.dispose()
        await self.pool.close()

    async def fetch(self, sql: str, arguments: Sequence[Any] = ()) -> list[asyncpg.Record]:
        """The rows of one read."""
        count_statement()
        try:
            async with self.pool.acquire() as connection:
                rows: list[asyncpg.Record] = await connection.fetch(sql, *arguments)
                return rows
        except asyncpg.CharacterNotInRepertoireError:
            return []  # the caller sent text that no row can hold, such as a NUL

    async def fetch_value(self, sql: str, arguments: Sequence[Any] = ()) -> Any:
        """The first column of the first row of one read, or None."""
        count_statement()
        async with self.pool.acquire() as connection:
            return await connection.fetchval(sql, *arguments)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with WriteSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session
