"""A database of its own: workers of these tests must find no events but theirs."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from app.asgi import Parts, build_app
from app.metrics import Metrics
from auth.identity import Identity
from db.sessions import Database
from resolvers.platform import Platform
from tests.conftest import fresh_database, listening
from tests.factories import make_partner
from tests.webhooks.partners import LOOPBACK, settings
from vault.stores import open_stores
from webhooks.signing import Seal
from webhooks.worker import DeliveryWorker
from wire.streams import OpenStreams


@pytest.fixture(scope="session")
async def webhooks_dsn(postgres, worker_id):
    async with fresh_database(postgres, f"webhooks_{worker_id}") as dsn:
        yield dsn


@pytest.fixture(scope="session")
async def database(webhooks_dsn):
    opened = await Database.open(webhooks_dsn, readers=20)
    yield opened
    await opened.close()


URL = "http://testserver.example"
SECRET = b"a secret of the tests, of more than thirty-two bytes"


@pytest.fixture(scope="module")
async def api(database, files_folder):
    """The application over the database of these tests, where webhooks may go to loopback."""
    stores = open_stores(url="", eu_url="", folder=files_folder)
    platform = Platform(URL, "https://shop.example", "sandbox", SECRET, stores, webhook_rules=LOOPBACK)
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


@pytest.fixture
def a_worker():
    """Runs a worker of the application's while a block runs."""

    @asynccontextmanager
    async def run(database, **changes):
        worker, stop = DeliveryWorker(database, Seal(SECRET), settings(**changes)), asyncio.Event()
        task = asyncio.create_task(worker.run(stop))
        try:
            yield worker
        finally:
            stop.set()
            await task

    return run


@pytest.fixture(scope="module")
async def streams():
    """The open streams of `live_api`, whose credentials are looked at ten times a second."""
    return OpenStreams(every=0.1)


@pytest.fixture(scope="module")
async def live_api(api, streams):
    """The application behind a real socket; its address."""
    app = build_app(replace(api[0], streams=streams))
    async with listening(app) as url:
        yield url
