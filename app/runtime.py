"""From settings to running parts: the database, identity, and everything else that is opened and closed."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import asyncpg

from app.access_log import AccessLog
from app.metrics import Metrics
from app.parts import Parts
from app.settings import Settings, WrongSetting
from auth.identity import Identity
from db.embedded import EmbeddedPostgres
from db.migrate import migrate
from db.sessions import Database
from resolvers.platform import Platform
from resolvers.usage import UsageLog
from vault.stores import open_stores
from webhooks.addresses import Rules

T = TypeVar("T")
DEFAULT_URL = "http://127.0.0.1:8000"


def secret_of(settings: Settings) -> bytes:
    """The key of all keyed hashes: as set, or made once and kept in the data folder for its owner's eyes alone."""
    if settings.secret:
        return settings.secret.encode()
    path = settings.home / "secret"
    if not path.exists():
        settings.home.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"secret.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48))
        _keep_first(fresh, path)
    return path.read_bytes()


def _keep_first(fresh: Path, path: Path) -> None:
    """Two processes may make the secret at once; the first one to arrive is kept by both."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """Where PostgreSQL is: as set, or the embedded one, which lives at least as long as this block."""
    if settings.database_url:
        asyncio.run(_reach(settings.database_url))
        yield settings.database_url
        return
    with EmbeddedPostgres.start(settings.home) as postgres:
        yield postgres.dsn


async def _reach(url: str) -> None:
    """A database that does not let us in is a wrong setting, told before anything is started."""
    try:
        connection = await asyncpg.connect(url)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        told = str(error).partition("\n")[0] or type(error).__name__
        raise WrongSetting(f"the database of FSHNISTA_DATABASE_URL cannot be used: {told}") from None
    await connection.close()


def rules_of(settings: Settings) -> Rules:
    """Where webhooks may go: https anywhere public; in the sandbox http too, and loopback where that is set."""
    sandbox = settings.environment == "sandbox"
    return Rules(allow_loopback=settings.webhook_allow_loopback and sandbox, allow_http=sandbox)


def platform_of(settings: Settings, url: str) -> Platform:
    """The platform as resolvers know it; `url` is where the server listens, where no public address is set."""
    stores = open_stores(url=settings.storage_url, eu_url=settings.storage_eu_url, folder=settings.home.absolute())
    return Platform(
        settings.public_url or url, settings.shop_url, settings.environment, secret_of(settings), stores,
        webhook_rules=rules_of(settings),
    )  # fmt: skip


@asynccontextmanager
async def open_parts(
    settings: Settings, dsn: str, *, url: str = DEFAULT_URL, shares: int = 1, access_log: BinaryIO | None = None
) -> AsyncIterator[Parts]:
    """Everything that one process of the server needs; `shares` processes divide the limits where Valkey is away."""
    platform = platform_of(settings, url)
    db = await Database.open(dsn)
    try:
        identity = await open_identity(settings, db, platform, shares=shares)
        try:
            log = AccessLog(access_log) if access_log is not None else None
            async with UsageLog.open(db) as usage:
                platform = replace(platform, usage=usage)
                yield Parts(db, identity, platform, Metrics(), log, plans=settings.execution_plans)
        finally:
            await identity.close()
    finally:
        await db.close()


async def open_identity(settings: Settings, db: Database, platform: Platform, *, shares: int = 1) -> Identity:
    """Identity for this environment; the issuer is where the platform stands."""
    return await Identity.open(
        db, issuer=platform.public_url, audience=platform.public_url, environment=settings.environment,
        secret=platform.secret, valkey_url=settings.valkey_url or None, shares=shares,
    )  # fmt: skip


def run_with_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Runs one command's work on a migrated database."""

    async def run(dsn: str) -> T:
        await migrate(dsn)
        db = await Database.open(dsn)
        try:
            return await work(db)
        finally:
            await db.close()

    with database_url(settings) as dsn:
        return asyncio.run(run(dsn))


def run_with_parts(settings: Settings, work: Callable[[Parts], Awaitable[T]]) -> T:
    """Runs one command's work with everything that the server has."""

    async def run(dsn: str) -> Any:
        await migrate(dsn)
        async with open_parts(settings, dsn) as parts:
            return await work(parts)

    with database_url(settings) as dsn:
        found: T = asyncio.run(run(dsn))
        return found
