"""A database of its own: a refresh must find nothing but what these tests do."""

from datetime import UTC, datetime

import httpx
import pytest

from app.asgi import Parts, build_app
from app.metrics import Metrics
from auth.identity import Identity
from db.recommend import rounds
from db.sessions import Database
from tests.conftest import SECRET, URL, fresh_database
from tests.factories import make_partner


@pytest.fixture(scope="session")
async def recommend_dsn(postgres, worker_id):
    async with fresh_database(postgres, f"recommend_{worker_id}") as dsn:
        yield dsn


@pytest.fixture(scope="session")
async def database(recommend_dsn):
    opened = await Database.open(recommend_dsn)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def api(database, platform):
    """The application over this database, and a client of it."""
    identity = await Identity.open(database, issuer=URL, audience=URL, environment="sandbox", secret=SECRET)
    parts = Parts(database, identity, platform, Metrics())
    transport = httpx.ASGITransport(build_app(parts), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield parts, client
    await identity.close()


@pytest.fixture
async def partner(api):
    return await make_partner(*api)


@pytest.fixture
async def other(api):
    return await make_partner(*api)


@pytest.fixture(scope="session")
def refreshed(database):
    """Does all the work that there is, as a worker would."""

    async def drain(now=None):
        async with database.pool.acquire() as connection:
            return await rounds.drain(connection, now or datetime.now(UTC))

    return drain
