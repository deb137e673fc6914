"""An identity on a database of its own, and the authorization server as an application."""

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette

from auth.identity import Identity
from auth.oauth.endpoints import routes
from auth.partners import create_partner
from db.ids import new_id
from db.migrate import migrate
from db.sessions import Database

ISSUER = "https://api.fshnista.test"
SECRET = b"a server secret of the tests, 32+ bytes"
_DSN = "postgresql://postgres@127.0.0.1:54320"


@pytest.fixture(scope="session")
async def dsn():
    name = f"t_{new_id('usr').lower()}"
    admin = await asyncpg.connect(f"{_DSN}/postgres")
    await admin.execute(f'create database "{name}"')
    await migrate(f"{_DSN}/{name}")
    yield f"{_DSN}/{name}"
    await admin.execute(f'drop database "{name}" with (force)')
    await admin.close()


@pytest.fixture(scope="session")
async def db(dsn):
    database = await Database.open(dsn)
    yield database
    await database.close()


async def open_identity(db, environment="sandbox", **more):
    return await Identity.open(
        db, issuer=ISSUER, audience=ISSUER, environment=environment, secret=SECRET, **more
    )


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


@pytest.fixture
async def http(identity):
    async with http_client(identity) as client:
        yield client
