"""The way to PostgreSQL: a pool of prepared reads, and transactions for writes. The two are different types on purpose."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from db.herald import Herald
from db.pool import ReadPool

# Statements sent for the request at hand; the access log and the tests read it.
statements_sent: ContextVar[list[int] | None] = ContextVar("statements_sent", default=None)


def count_statement() -> None:
    """Adds one to the count of the request at hand, where one is kept."""
    counter = statements_sent.get()
    if counter is not None:
        counter[0] += 1


class WriteSession(AsyncSession):
    """A session inside one write transaction; only `Database.write` makes them.

    `news`: pairs of a channel and a word, which other processes hear of when the transaction is committed.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine, expire_on_commit=False)
        self.news: set[tuple[str, str]] = set()


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()


async def prepare_connection(connection: asyncpg.Connection) -> None:
    """Makes a connection read and write `json` columns as Python values."""
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=orjson.dumps, decoder=orjson.loads, format="binary"
    )


async def _connect(dsn: str) -> asyncpg.Connection:
    """A connection for reads: prepared statements are kept for good, and planned once for whatever values come."""
    connection = await asyncpg.connect(
        dsn, statement_cache_size=200, max_cached_statement_lifetime=0,
        server_settings={"jit": "off", "plan_cache_mode": "force_generic_plan"},
    )  # fmt: skip
    await prepare_connection(connection)
    return connection


class Database:
    """One process's connections. `fetch` for reads, `write` for changes; nothing else reaches PostgreSQL."""

    def __init__(self, pool: ReadPool, engine: AsyncEngine) -> None:
        self.pool = pool
        self.engine = engine
        self._herald = Herald(pool)

    @classmethod
    async def open(cls, dsn: str, *, readers: int = 10, writers: int = 10) -> "Database":
        """Connects to `dsn` (`postgresql://…`)."""
        pool = ReadPool(partial(_connect, dsn), readers)
        url = make_url(dsn).set(drivername="postgresql+asyncpg")
        engine = create_async_engine(
            url,
            pool_size=writers,
            max_overflow=0,
            json_serializer=_dump,
            json_deserializer=orjson.loads,
            hide_parameters=True,  # an error that is logged must not tell what somebody sent
        )
        event.listen(engine.sync_engine, "before_cursor_execute", lambda *_: count_statement())
        async with pool.acquire():
            pass  # a database that cannot be reached stops the start
        return cls(pool, engine)

    async def close(self) -> None:
        """Lets every connection go."""
        await self._herald.close()
        await self.engine.dispose()
        await self.pool.close()

    async def fetch(self, sql: str, arguments: Sequence[Any] = ()) -> list[asyncpg.Record]:
        """The rows of one read."""
        count_statement()
        async with self.pool.acquire() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *arguments)
            return rows

    async def fetch_value(self, sql: str, arguments: Sequence[Any] = ()) -> Any:
        """The first column of the first row of one read, or None. Written out, since compiled plans come through here."""
        count_statement()
        connection = await self.pool.take()
        try:
            value = await connection.fetchval(sql, *arguments)
        except asyncpg.PostgresError:
            self.pool.give(connection)
            raise
        except BaseException:
            self.pool.drop(connection)
            raise
        self.pool.give(connection)
        return value

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with WriteSession(self.engine) as session:
            async with session.begin():
                yield session
            if session.news:
                self._herald.tell(session.news)
