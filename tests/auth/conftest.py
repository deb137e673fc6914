"""An identity on a database of its own, and the authorization server as an application."""

import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
import pytest
from starlette.applications import Starlette

from app.asgi import Parts, build_app
from app.metrics import Metrics
from auth.identity import Identity
from auth.oauth.endpoints import routes
from auth.partners import create_partner
from db.ids import new_id
from db.sessions import Database
from tests.conftest import fresh_database, listening

ISSUER = "https://api.fshnista.test"
SECRET = b"a server secret of the tests, 32+ bytes"


@pytest.fixture(scope="session")
async def dsn(postgres):
    """A database of its own: its keys are rotated, its clients revoked."""
    async with fresh_database(postgres, f"identity_{new_id('usr').lower()}") as found:
        yield found


@pytest.fixture(scope="session")
async def db(dsn):
    database = await Database.open(dsn)
    yield database
    await database.close()


async def open_identity(db, environment="sandbox", **more):
    return await Identity.open(db, issuer=ISSUER, audience=ISSUER, environment=environment, secret=SECRET, **more)


@pytest.fixture(scope="session")
async def identity(db):
    identity = await open_identity(db)
    yield identity
    await identity.close()


@pytest.fixture
async def partner(db, identity):
    return await create_partner(db, identity.hasher, "Maison Test", environment="sandbox")


def http_client(identity):
    app = Starlette(routes=routes(identity))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER)


@pytest.fixture(scope="session")
async def http(identity):
    async with http_client(identity) as client:
        yield client


@pytest.fixture
async def fresh_dsn(postgres):
    """A database that no other test uses."""
    async with fresh_database(postgres, f"fresh_{new_id('usr').lower()}") as found:
        yield found


@dataclass(frozen=True)
class Live:
    """The whole application behind a real socket, whose address is its issuer."""

    url: str
    parts: Parts


@asynccontextmanager
async def serving(db, platform, host):
    """The whole application at `http://host:port`, by which it knows itself, on this machine's own address."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://{host}:{listener.getsockname()[1]}"
    opened = await Identity.open(db, issuer=url, audience=url, environment="sandbox", secret=SECRET)
    parts = Parts(db, opened, replace(platform, public_url=url, secret=SECRET), Metrics())
    async with listening(build_app(parts), listener):
        yield Live(url, parts)
    await opened.close()


@pytest.fixture(scope="session")
async def live(db, platform):
    async with serving(db, platform, "127.0.0.1") as found:
        yield found
