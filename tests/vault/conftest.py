"""What tests of the vault need beside the application: a look into the folders where its files lie."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.asgi import Parts
from db.sessions import Database
from tests.factories import Partner, make_partner
from vault.stores import Store


@dataclass
class World:
    """The application's database and stores. A test that injects failures changes `regions` and puts them back."""

    parts: Parts
    folder: Path
    regions: dict[str, Store]
    client: httpx.AsyncClient

    @property
    def db(self) -> Database:
        return self.parts.db

    async def partner(self, region: str = "eu", scopes: str | None = None) -> Partner:
        """A partner whose files lie in this region."""
        partner = await make_partner(self.parts, self.client, scopes=scopes)
        async with self.db.pool.acquire() as connection:
            await connection.execute("update users set region = $1 where id = $2", region, partner.user_id)
        return partner

    def files(self) -> list[str]:
        """Every object that lies in any store."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def world(parts: Parts, files_folder: Path, open_client: httpx.AsyncClient) -> World:
    regions: Any = parts.platform.stores.regions
    return World(parts, files_folder / "objects", regions, open_client)


@pytest.fixture
def owner(partner: Partner) -> Partner:
    """Whose files they are."""
    return partner


@pytest.fixture
async def other(world: World) -> Partner:
    """Another partner, in another region."""
    return await world.partner(region="us")
