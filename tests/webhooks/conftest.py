"""A database of its own: workers of these tests must find no events but theirs."""

import asyncpg
import pytest

from db.embedded import EmbeddedPostgres
from db.ids import new_id
from db.migrate import migrate
from db.sessions import Database


@pytest.fixture(scope="session")
def postgres(tmp_path_factory, worker_id):
    base = tmp_path_factory.getbasetemp()
    home = base if worker_id == "master" else base.parent
    with EmbeddedPostgres.start(home / "home", durable=False) as server:
        yield server


@pytest.fixture(scope="session")
async def webhooks_dsn(postgres):
    name = f"webhooks_{new_id('evt').lower()}"
    admin = await asyncpg.connect(postgres.dsn)
    await admin.execute(f'create database "{name}"')
    await migrate(postgres.dsn_of(name))
    yield postgres.dsn_of(name)
    await admin.execute(f'drop database "{name}" with (force)')
    await admin.close()


@pytest.fixture(scope="session")
async def database(webhooks_dsn):
    opened = await Database.open(webhooks_dsn, readers=20)
    yield opened
    await opened.close()
