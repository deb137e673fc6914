"""A partner platform of the tests' own: PostgreSQL, folders for files, two partners."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from app.logs import configure_logs
from app.metrics import Metrics
from app.middleware import Middleware
from auth.errors import Unauthenticated
from auth.gate import Gate
from auth.scopes import DEFAULT_SCOPES
from auth.viewer import Viewer
from db.embedded import EmbeddedPostgres
from db.ids import new_id
from db.migrate import migrate
from db.sessions import Database
from db.tables import Client, Organization, User
from execution.engine import Engine
from resolvers.platform import Platform
from rest_facade.endpoint import Surface
from rest_facade.router import not_found, starlette_routes
from rest_facade.routes import ROUTES
from schema.build import build_schema
from schema.http import GraphQLEndpoint
from vault.stores import Store, Stores, open_stores


class Admitted:
    """An admission that nothing limits."""

    allowed, policy_header, limit_header, retry_after = True, b"", b"", 0


class Open:
    """A limiter that admits all."""

    def admit_now(self, client_id: str, tier: str) -> Admitted:
        return Admitted()

    async def admit(self, client_id: str, tier: str) -> Admitted:
        return Admitted()


@dataclass
class Known:
    """Tokens are names of viewers."""

    viewers: dict[str, Viewer] = field(default_factory=dict)

    def cached(self, credential: str) -> Viewer | None:
        return self.viewers.get(credential)

    async def authenticate(self, authorization: str | None, api_key: str | None) -> Viewer:
        raise Unauthenticated("invalid_token", "unknown")


@dataclass
class World:
    """The platform and its callers. `stores.regions` may be changed by a test that injects failures."""

    db: Database
    platform: Platform
    known: Known
    app: Any
    folder: Path
    regions: dict[str, Store]

    async def partner(self, region: str = "eu", scopes: tuple[str, ...] = DEFAULT_SCOPES) -> "Partner":
        now = datetime.now(UTC)
        async with self.db.write() as session:
            organization = Organization(id=new_id("org"), name="Partner", region=region, created_at=now)
            session.add(organization)
            await session.flush()
            user = User(
                id=new_id("usr"), organization_id=organization.id, handle="@" + new_id("usr")[4:].lower(),
                display_name="Partner", region=region, created_at=now, updated_at=now,
            )  # fmt: skip
            client = Client(
                id=new_id("cli"), organization_id=organization.id, name="p", scopes=list(scopes),
                redirect_uris=[], created_at=now,
            )  # fmt: skip
            session.add(user)
            session.add(client)
        token = new_id("key")
        self.known.viewers[token] = Viewer(user.id, client.id, organization.id, frozenset(scopes))
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        http = httpx.AsyncClient(
            transport=transport, base_url="http://fshnista.test", headers={"authorization": f"Bearer {token}"}
        )
        return Partner(http, user.id, organization.id, client.id)

    def files(self) -> list[str]:
        """Every object that lies in any store."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


@dataclass
class Partner:
    """One caller."""

    http: httpx.AsyncClient
    user_id: str
    organization_id: str
    client_id: str

    async def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = await self.http.post("/graphql", json={"query": query, "variables": variables})
        found: dict[str, Any] = json.loads(answer.content)
        return found


@pytest.fixture(scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    configure_logs()
    home = tmp_path_factory.mktemp("vault")
    with EmbeddedPostgres.start(home / "home", durable=False) as postgres:
        await migrate(postgres.dsn)
        db = await Database.open(postgres.dsn)
        try:
            yield make_world(db, home)
        finally:
            await db.close()


def make_world(db: Database, home: Path) -> World:
    regions = dict(open_stores(url="", eu_url="", folder=home).regions)
    platform = Platform(
        "http://127.0.0.1:8000", "https://fshnista.com", "sandbox", b"k" * 32, stores=Stores(regions)
    )  # fmt: skip
    known = Known()
    gate = Gate(known, Open())
    engine = Engine(build_schema()._schema)
    routes = [
        *starlette_routes(ROUTES, Surface(db, gate, platform)),
        Route("/graphql", GraphQLEndpoint(lambda _: engine, db, gate, platform)),
    ]
    inner = Starlette(routes=routes)
    inner.router.default = not_found
    app = Middleware(inner.router, "1.0.0", Metrics(), None)
    return World(db, platform, known, app, home / "objects", regions)


@pytest.fixture
async def owner(world: World) -> AsyncIterator[Partner]:
    partner = await world.partner()
    async with partner.http:
        yield partner


@pytest.fixture
async def other(world: World) -> AsyncIterator[Partner]:
    partner = await world.partner(region="us")
    async with partner.http:
        yield partner
