"""A database of its own for the planted world, which nothing changes."""

import gc

import pytest

from db.embedded import EmbeddedPostgres
from db.sessions import Database
from execution.engine import GraphQLRequest
from resolvers.platform import Platform
from schema.build import build_schema
from tests.conftest import fresh_database
from tests.execution.comparing import Comparer
from tests.execution.world import World, plant


@pytest.fixture(autouse=True)
def _collected(request: pytest.FixtureRequest):
    """graphql-core leaves coroutines unawaited where a null goes up; a test that allows it collects them itself."""
    yield
    if request.node.get_closest_marker("filterwarnings"):
        gc.collect()


@pytest.fixture(scope="session")
async def world_db(postgres: EmbeddedPostgres, worker_id: str):
    """The planted world's database."""
    async with fresh_database(postgres, f"world_{worker_id}") as dsn:
        database = await Database.open(dsn)
        yield database
        await database.close()


@pytest.fixture(scope="session")
async def world(world_db: Database, platform: Platform) -> World:
    """The planted world, with the cursors of every list in every order."""
    planted = await plant(world_db)
    comparer = Comparer(build_schema()._schema, world_db, platform)
    for field in ("storefronts", "products", "orders", "affiliateLinks"):
        planted.cursors += await _cursors(comparer, planted, field)
    planted.cursors += await _told(comparer, planted, "{ orders { nodes { lines { edges { cursor } } } } }")
    return planted


async def _cursors(comparer: Comparer, world: World, field: str) -> list[str]:
    told = comparer.schema.query_type.fields[field]  # type: ignore[union-attr]
    orders = list(told.args["sort"].type.values) if "sort" in told.args else [""]
    found: list[str] = []
    for order in orders:
        asked = f"{field}(first: 30{f', sort: {order}' if order else ''})"
        query = f"{{ {asked} {{ edges {{ cursor }} }} }}"
        found += await _told(comparer, world, query)
    return found


async def _told(comparer: Comparer, world: World, query: str) -> list[str]:
    outcome = await comparer.same(GraphQLRequest(query, {}), world.viewers["reads all"])
    assert outcome.data is not None
    assert not outcome.errors
    return [part.split('"')[0] for part in outcome.data.decode().split('"cursor":"')[1:]]


@pytest.fixture
def comparer(world_db: Database, platform: Platform) -> Comparer:
    """Both engines over the planted world, with nothing prepared yet."""
    return Comparer(build_schema()._schema, world_db, platform)
