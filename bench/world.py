"""The database under test: generated once, kept between runs, with a partner who may read everything."""

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from auth.partners import create_partner
from auth.scopes import SCOPES
from auth.secrets import Hasher
from db.embedded import EmbeddedPostgres
from db.generate import Sizes, generate
from db.migrate import migrate
from db.sessions import Database

FULL, SMALL = Sizes(5_000, 200_000, 300_000), Sizes(100, 2_000, 3_000)
SEED = 1


@dataclass(frozen=True)
class World:
    """Where the database is, the partner's credentials, its own storefront, and the storefronts that requests draw from."""

    dsn: str
    postmaster: int
    home: Path
    secret: dict[str, str]
    storefront: str
    ids: Path
    count: int


@contextmanager
def prepared(home: Path, *, small: bool) -> Iterator[World]:
    """The world in this data folder, made where it is not there."""
    home.mkdir(parents=True, exist_ok=True)
    with EmbeddedPostgres.start(home) as postgres:
        yield asyncio.run(_prepare(postgres, home, SMALL if small else FULL))


async def _prepare(postgres: EmbeddedPostgres, home: Path, sizes: Sizes) -> World:
    await migrate(postgres.dsn)
    connection = await asyncpg.connect(postgres.dsn)
    if not await connection.fetchval("select 1 from users where handle = $1", f"@gen{SEED}.0"):
        print("bench: filling the database; this is done once", flush=True)
        await generate(postgres.dsn, sizes, SEED, tell=lambda table, rows: None)
        await connection.execute("vacuum analyze")
    await connection.execute("drop table if exists bench_ids")
    await connection.execute(
        "create table bench_ids as select row_number() over ()::int as place, id from storefronts where status = 'active'"
    )
    await connection.execute("create unique index on bench_ids (place)")
    await connection.execute("analyze bench_ids")
    ids = [row["id"] for row in await connection.fetch("select id from bench_ids order by place")]
    await connection.close()
    (home / "ids").write_text("\n".join(ids))
    secret, storefront = await _partner(postgres.dsn, home)
    return World(postgres.dsn, postgres.postmaster, home, secret, storefront, home / "ids", len(ids))


async def _partner(dsn: str, home: Path) -> tuple[dict[str, str], str]:
    """A partner without a limit and a storefront for it to write to; the secret of the server is made here, if it is not yet."""
    from app.runtime import secret_of
    from app.settings import read_settings

    db = await Database.open(dsn)
    hasher = Hasher(secret_of(read_settings({"FSHNISTA_HOME": str(home)})))
    made = await create_partner(db, hasher, "Bench", environment="sandbox", scopes=" ".join(SCOPES), tier="internal")
    storefront = await db.fetch_value(
        "insert into storefronts (id, owner_id, handle, name, description, status, currency, locale, visibility, "
        "created_at, updated_at) values ('sf_' || substr($1, 5), $1, '@bench.' || lower(substr($1, 20)), 'Bench', '', "
        "'active', 'EUR', 'en', 'public', now(), now()) returning id",
        [made.user_id],
    )
    await db.close()
    return {"client_id": made.client_id, "client_secret": made.client_secret}, storefront


def token(url: str, secret: dict[str, str]) -> str:
    """An access token of the server at this address."""
    body = json.dumps({"grant_type": "client_credentials", **secret}).encode()
    request = urllib.request.Request(f"{url}/oauth/token", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return str(json.loads(answer.read())["access_token"])
