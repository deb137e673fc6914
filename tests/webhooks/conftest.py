"""A database of its own: workers of these tests must find no events but theirs."""

import pytest

from db.sessions import Database
from tests.conftest import fresh_database


@pytest.fixture(scope="session")
async def webhooks_dsn(postgres, worker_id):
    async with fresh_database(postgres, f"webhooks_{worker_id}") as dsn:
        yield dsn


@pytest.fixture(scope="session")
async def database(webhooks_dsn):
    opened = await Database.open(webhooks_dsn, readers=20)
    yield opened
    await opened.close()
