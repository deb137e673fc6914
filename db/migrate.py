"""Brings a database to the newest schema. Safe to run from many processes at once."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db import partitions
from db.tables import Table

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x66736831  # one migrator at a time per database


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config


async def _with_connection(dsn: str, work: Callable[[Connection], Any]) -> Any:
    engine = create_async_engine(make_url(dsn).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            result = await connection.run_sync(work)
            await connection.commit()
            return result
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    connection.execute(text("select pg_advisory_lock(:key)"), {"key": _LOCK})
    connection.commit()
    try:
        command.upgrade(_config(connection), "head")
    finally:
        connection.rollback()
        connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _LOCK})


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """The revision that the code expects."""
    return ScriptDirectory(str(_FOLDER)).get_current_head()


async def migrate(dsn: str) -> None:
    """Applies every migration that is missing, and makes the days of the logs ahead."""
    if await _with_connection(dsn, _current) != newest():
        await _with_connection(dsn, _upgrade)
    connection = await asyncpg.connect(dsn)
    try:
        await partitions.keep(connection, datetime.now(UTC).date())
    finally:
        await connection.close()


async def is_current(dsn: str) -> bool:
    """Whether the database stands at the newest schema."""
    return bool(await _with_connection(dsn, _current) == newest())


async def differences(dsn: str) -> list[Any]:
    """What the tables in code and in the database differ in; empty when migrations and tables agree."""

    def compare(connection: Connection) -> list[Any]:
        return list(
            compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Table.metadata)
        )

    found: list[Any] = await _with_connection(dsn, compare)
    return found


async def write_revision(dsn: str, message: str) -> None:
    """For developers: a new migration file from what differs."""
    await _with_connection(dsn, lambda connection: command.revision(_config(connection), message, autogenerate=True))
