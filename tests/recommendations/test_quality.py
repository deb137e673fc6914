"""A small version of `make bench-recommendations`: planted structure is found again, with a clear margin."""

import pytest

from bench.recommendations import rankings, refreshed, score, served
from bench.shoppers import planted
from db.sessions import Database
from tests.conftest import fresh_database


@pytest.fixture(scope="module")
async def measured(postgres, worker_id):
    plan = planted(looks=40, pieces=10, baskets=6000, seed=5)
    async with fresh_database(postgres, f"quality_{worker_id}") as dsn:
        database = await Database.open(dsn)
        await refreshed(database, plan)
        yield plan, rankings(plan, await served(database, plan), seed=1)
        await database.close()


async def test_what_goes_together_is_found(measured):
    plan, ranked = measured
    mine, popular, random = (score(plan, ranked[name]) for name in ("this server", "popularity", "random"))
    assert mine.recall > 3 * popular.recall
    assert mine.ndcg > 3 * popular.ndcg
    assert mine.recall > 5 * random.recall
    assert mine.recall > 0.5 * score(plan, ranked["who knows the plan"]).recall


async def test_products_without_history_have_good_ones_too(measured):
    plan, ranked = measured
    mine, popular, random = (
        score(plan, ranked[name], lambda product: product in plan.fresh)
        for name in ("this server", "popularity", "random")
    )
    assert mine.asked > 30
    assert mine.recall > 2 * popular.recall
    assert mine.recall > 4 * random.recall


async def test_those_whose_company_changed_have_the_new_one(measured):
    plan, ranked = measured
    mine, popular = (
        score(plan, ranked[name], lambda product: product in plan.moved) for name in ("this server", "popularity")
    )
    assert mine.recall > 2 * popular.recall
