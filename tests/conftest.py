"""One embedded PostgreSQL for the run, one migrated database for each test process, one application over it."""

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import httpx
import pytest
import uvicorn

from app.asgi import Parts, build_app
from app.metrics import Metrics
from auth.identity import Identity
from db.embedded import EmbeddedPostgres
from db.migrate import migrate
from db.sessions import Database
from resolvers.platform import Platform
from resolvers.usage import UsageLog
from tests.factories import Partner, make_partner
from vault.stores import open_stores

URL = "http://testserver.example"
SECRET = b"a secret of the tests, of more than thirty-two bytes"


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much the property test of planned answers does."""
    parser.addoption("--parity", type=int, default=60, help="documents made from the schema")
    parser.addoption("--parity-seed", type=int, default=1, help="the first one's seed")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory, worker_id: str):
    """The embedded server; the test processes share it, and it ends with the last of them."""
    base = tmp_path_factory.getbasetemp()
    home = base if worker_id == "master" else base.parent
    with EmbeddedPostgres.start(Path(home) / "home", durable=False) as server:
        yield server


@pytest.fixture(scope="session")
async def dsn(postgres: EmbeddedPostgres, worker_id: str):
    """The address of this process's own database, at the newest schema."""
    async with fresh_database(postgres, f"test_{worker_id}") as found:
        yield found


@asynccontextmanager
async def fresh_database(postgres: EmbeddedPostgres, name: str):
    """A migrated database of this name, dropped afterwards."""
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute(f'create database "{name}"')
    try:
        await migrate(postgres.dsn_of(name))
        yield postgres.dsn_of(name)
    finally:
        await connection.execute(f'drop database "{name}" with (force)')
        await connection.close()


@pytest.fixture(scope="session")
async def db(dsn: str):
    """The application's database."""
    database = await Database.open(dsn)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def files_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where uploaded files lie, below `objects`."""
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="session")
async def platform(files_folder: Path) -> Platform:
    """A sandbox at an address of no consequence."""
    stores = open_stores(url="", eu_url="", folder=files_folder)
    return Platform(URL, "https://shop.example", "sandbox", SECRET, stores)


@pytest.fixture(scope="session")
async def identity(db: Database, platform: Platform):
    """The application's identity."""
    opened = await Identity.open(db, issuer=URL, audience=URL, environment="sandbox", secret=SECRET)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
async def parts(db: Database, identity: Identity, platform: Platform) -> Parts:
    """What the application is made of."""
    return Parts(db, identity, replace(platform, usage=UsageLog(db)), Metrics())


@pytest.fixture(scope="session")
async def app(parts: Parts):
    """The real application."""
    return build_app(parts)


@pytest.fixture(scope="session")
async def open_client(app):
    """A client without credentials."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield client


@pytest.fixture
async def partner(parts: Parts, open_client: httpx.AsyncClient) -> Partner:
    """A partner of its own for this test, with every default scope and no limit."""
    return await make_partner(parts, open_client)


@pytest.fixture
async def other(parts: Parts, open_client: httpx.AsyncClient) -> Partner:
    """Another partner, who owns nothing of the first one's."""
    return await make_partner(parts, open_client)


@dataclass(frozen=True)
class LiveServer:
    """A server on a loopback port, and a token for it."""

    url: str
    token: str
    partner: Partner


@asynccontextmanager
async def listening(app, listener: socket.socket | None = None):
    """An application behind a real socket while the block runs; its address."""
    sock = listener or socket.create_server(("127.0.0.1", 0))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each small answer would wait for the one before
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", server_header=False))
    task = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started:
        await asyncio.sleep(0.01)
        if task.done():
            await task  # why it could not start
    yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    server.should_exit = True
    await task


@pytest.fixture(scope="session")
async def live_server(app, parts: Parts, open_client: httpx.AsyncClient):
    """The same application behind a real socket."""
    async with listening(app) as url:
        partner = await make_partner(parts, open_client)
        yield LiveServer(url, partner.token, partner)
