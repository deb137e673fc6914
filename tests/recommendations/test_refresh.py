"""The refresh: bit by bit comes to the same as all at once, each thing counts once whoever dies, and old visits fade."""

import asyncio
import itertools
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import select

from app.refreshing import Refresher
from db import tables
from db.ids import new_id
from db.recommend import counting, decay, lists, rounds

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass
class Shop:
    """A storefront put straight into the tables, and what happens in it."""

    database: Any
    user: str
    storefront: str
    client: str
    products: list[str]
    variants: list[str]

    async def add(self, *rows):
        async with self.database.write() as session:
            for row in rows:
                session.add(row)
                await session.flush()

    def order(self, places, at=NOW):
        """The rows of an order of these products."""
        row = tables.Order(
            id=new_id("ord"), storefront_id=self.storefront, owner_id=self.user, total_amount=Decimal(1),
            total_currency="EUR", created_at=at, updated_at=at,
        )  # fmt: skip
        lines = [
            tables.OrderLine(
                order_id=row.id, line=line, variant_id=self.variants[place], sku="s", title="t", quantity=1,
                price_amount=Decimal(1), price_currency="EUR",
            )
            for line, place in enumerate(places)
        ]  # fmt: skip
        return [row, *lines]

    def tryon(self, place, subject, at=NOW):
        """The row of a shopper's session."""
        return tables.TryonSession(
            id=new_id("tos"), owner_id=self.user, client_id=self.client, product_id=self.products[place],
            use_case="product_page", origin="https://x.example", subject=subject, consent_at=at, created_at=at, expires_at=at,
        )  # fmt: skip

    async def pairs(self):
        """What was counted between its products."""
        sql = "select product_id, other_id, kind, weight, visitors from product_pairs where product_id = any($1)"
        rows = await self.database.fetch(sql, [self.products])
        return {(row[0], row[1], row[2]): (row[3], row[4]) for row in rows}

    async def lists(self):
        """The lists of its products."""
        sql = "select product_id, other_id, points, reason from recommendations where product_id = any($1)"
        return {(row[0], row[1]): (row[2], row[3]) for row in await self.database.fetch(sql, [self.products])}

    async def start_over(self):
        async with self.database.pool.acquire() as connection:
            await rounds.start_over(connection)


_numbers = itertools.count(1)


async def open_shop(database, titles):
    times: dict[str, Any] = {"created_at": NOW, "updated_at": NOW}
    number, user, storefront, client, organization = next(_numbers), *map(new_id, ("usr", "sf", "cli", "org"))
    products, variants = [new_id("prd") for _ in titles], [new_id("var") for _ in titles]
    shop = Shop(database, user, storefront, client, products, variants)
    money: dict[str, Any] = {"price_amount": Decimal(1), "price_currency": "EUR"}
    rows = [
        tables.User(id=user, handle=f"@refresh{number}", display_name="r", **times),
        tables.Organization(id=organization, name="o", created_at=NOW),
        tables.Client(id=client, organization_id=organization, name="c", created_at=NOW),
        tables.Storefront(
            id=storefront, owner_id=user, handle=f"@refreshed{number}", name="n", status="active", **times
        ),
    ]
    for place, title in enumerate(titles):
        product, variant = products[place], variants[place]
        rows += [
            tables.Product(
                id=product, storefront_id=storefront, owner_id=user, sku=f"S{place}", title=title, status="active",
                **money, **times,
            ),
            tables.Variant(
                id=variant, product_id=product, storefront_id=storefront, sku=f"S{place}", options=[], **money, **times
            ),
            tables.Inventory(
                variant_id=variant, product_id=product, storefront_id=storefront, owner_id=user, available=9, updated_at=NOW
            ),
        ]  # fmt: skip
    await shop.add(*rows)
    return shop


TITLES = ["linen shirt white", "linen shirt navy", "wool coat navy", "wool coat sand", "straw hat", "brass lamp"]
MOMENTS = st.integers(0, 400).map(lambda days: NOW - timedelta(days=days))
PLACES = st.integers(0, len(TITLES) - 1)
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.lists(PLACES, min_size=1, max_size=4), MOMENTS),
        st.tuples(st.just("tryon"), PLACES, st.sampled_from(["ann", "bo", "cy", "dee", None]), MOMENTS),
        st.tuples(st.just("refresh")),
    ),
    max_size=25,
)


@settings(max_examples=12, deadline=None)
@given(happenings=HAPPENINGS)
async def test_bit_by_bit_is_the_same_as_from_scratch(database, refreshed, happenings):
    shop = await open_shop(database, TITLES)
    for happening in happenings:
        match happening:
            case ("order", places, at):
                await shop.add(*shop.order(places, at))
            case ("tryon", place, subject, at):
                await shop.add(shop.tryon(place, subject, at))
            case _:
                await refreshed(NOW)
    await refreshed(NOW)
    counted = await shop.pairs()
    await shop.start_over()
    await refreshed(NOW)
    at_once = await shop.pairs()
    assert {key: visitors for key, (_, visitors) in counted.items()} == {
        key: visitors for key, (_, visitors) in at_once.items()
    }
    assert all(math.isclose(weight, at_once[key][0], rel_tol=1e-6) for key, (weight, _) in counted.items())
    assert {key: value for key, value in counted.items() if key[0] > key[1]} == {
        (b, a, kind): value for (a, b, kind), value in counted.items() if b > a
    }


async def test_a_shopper_counts_once_for_a_pair_and_by_the_latest_visit(database, refreshed):
    shop = await open_shop(database, TITLES)
    half_life = decay.HALF_LIFE
    for place, age in ((0, 3), (1, 2), (0, 1), (1, 1)):
        await shop.add(shop.tryon(place, "ann", NOW - age * half_life))
        await refreshed(NOW)
    weight, visitors = (await shop.pairs())[shop.products[0], shop.products[1], "tried"]
    assert visitors == 1
    assert math.isclose(weight * decay.faded(NOW), 0.5, rel_tol=1e-9)


async def test_an_order_of_very_many_products_says_nothing(database, refreshed):
    shop = await open_shop(database, [f"thing {n}" for n in range(51)])
    await shop.add(*shop.order(range(51)))
    await refreshed(NOW)
    assert await shop.pairs() == {}
    await shop.add(*shop.order(range(50)))
    await refreshed(NOW)
    assert len(await shop.pairs()) == 50 * 50


async def test_old_company_fades_before_new(database, refreshed):
    """The same number of visitors: those of last week outweigh those of last year."""
    shop = await open_shop(database, ["a thing", "b other", "c another"])
    for _ in range(10):
        await shop.add(*shop.order([0, 1], NOW - timedelta(days=365)), *shop.order([0, 2], NOW - timedelta(days=7)))
    await refreshed(NOW)
    found = await shop.lists()
    seed, old, new = shop.products
    assert found[seed, new][0] > 4 * found.get((seed, old), (0,))[0]
    assert found[seed, new][1] == "bought"
    await shop.start_over()
    await refreshed(NOW + timedelta(days=2 * 365))
    assert (await shop.lists()).get((seed, new), (0,))[0] < found[seed, new][0] / 10, "and in the end likeness decides"


async def test_fewer_than_three_visitors_say_nothing(database, refreshed):
    shop = await open_shop(database, ["quince jar", "pewter spoon"])
    for count in range(1, 4):
        await shop.add(*shop.order([0, 1]))
        await refreshed(NOW)
        assert any(reason == "bought" for _, reason in (await shop.lists()).values()) == (count >= lists.FEWEST)


async def test_a_refresh_that_dies_has_counted_nothing(database, refreshed):
    shop = await open_shop(database, TITLES)
    await refreshed(NOW)
    for _ in range(5):
        await shop.add(*shop.order([0, 1]), shop.tryon(2, "ann"), shop.tryon(3, "ann"))
    # Somebody holds a row that the round must write, so that it can be killed in the middle.
    async with database.write() as session:
        await session.exec(select(tables.RecommendationRefresh).with_for_update())
        async with database.pool.acquire() as connection:
            backend = connection.get_server_pid()
            round_ = asyncio.create_task(rounds.refresh(connection, NOW))
            await until_waiting(database, backend)
            await database.fetch("select pg_terminate_backend($1)", [backend])
            with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
                await round_
    assert await shop.pairs() == {}
    await refreshed(NOW)
    counted = await shop.pairs()
    assert counted[shop.products[0], shop.products[1], "bought"][1] == 5
    assert counted[shop.products[2], shop.products[3], "tried"][1] == 1


async def until_waiting(database, backend):
    sql = "select count(*) from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'"
    for _ in range(500):
        if await database.fetch_value(sql, [backend]):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the round never came to the locked row")


async def until_done(database):
    for _ in range(600):
        if not await database.fetch_value("select count(*) from recommendation_tasks"):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the workers never came to an end")


async def test_many_workers_count_everything_once(database, refreshed):
    shop = await open_shop(database, TITLES)
    stop, random = asyncio.Event(), Random(3)
    workers = [asyncio.create_task(Refresher(database).run(stop)) for _ in range(3)]
    expected = 0
    for _ in range(40):
        places = random.sample(range(len(TITLES)), 2)
        expected += {0, 1} == set(places)
        await shop.add(*shop.order(places))
    await until_done(database)
    stop.set()
    await asyncio.gather(*workers)
    await refreshed(NOW)
    assert (await shop.pairs()).get((shop.products[0], shop.products[1], "bought"), (0, 0))[1] == expected


async def test_a_task_that_the_database_refuses_is_dropped_and_others_are_done(database, refreshed, monkeypatch):
    shop = await open_shop(database, TITLES)
    await refreshed(NOW)
    bad = shop.order([0, 1])
    await shop.add(*bad, *shop.order([2, 3]))
    count_orders = counting.count_orders

    async def refuse(connection, ids):
        if bad[0].id in ids:
            raise asyncpg.DataError("a value that the database refuses")
        return await count_orders(connection, ids)

    monkeypatch.setattr(counting, "count_orders", refuse)
    stop = asyncio.Event()
    worker = asyncio.create_task(Refresher(database).run(stop))
    await until_done(database)
    stop.set()
    await worker
    counted = await shop.pairs()
    assert (shop.products[2], shop.products[3], "bought") in counted
    assert (shop.products[0], shop.products[1], "bought") not in counted


async def test_what_is_deleted_is_forgotten(database, refreshed):
    shop = await open_shop(database, TITLES)
    for _ in range(3):
        await shop.add(*shop.order([0, 1]), shop.tryon(0, "ann"), shop.tryon(1, "ann"))
    await refreshed(NOW)
    gone = shop.products[0]
    async with database.pool.acquire() as connection:
        await connection.execute("delete from products where id = $1", gone)
    await refreshed(NOW)
    for table in ("product_features", "recommendations", "product_pairs", "tryon_visits"):
        left = await database.fetch(f"select t::text from {table} t where t::text like '%' || $1 || '%'", [gone])
        assert left == [], table


async def test_odd_text_and_json_are_read(database, refreshed):
    shop = await open_shop(database, ['quo"te\\back', "", "\u0001\u001f", "ü é 漢字 😀", "'; drop table users; --"])
    async with database.pool.acquire() as connection:
        odd = '{"nul": "\\u0000", "deep": {"a": [1]}, "b": null, "long": "' + "x" * 100 + '"}'
        await connection.execute(
            "update products set extra = $2::text::json, updated_at = now() where id = $1", shop.products[0], odd
        )
        await connection.execute(
            'update products set extra = \'{"Colour": "Sand"}\', updated_at = now() where id = $1', shop.products[3]
        )
    await refreshed(NOW)
    rows = await database.fetch(
        "select product_id, words from product_features where product_id = any($1)", [shop.products]
    )
    said = {row[0]: set(row[1]) for row in rows}
    assert len(said) == 5
    assert {"ü", "é", "漢字", "colour=sand"} <= said[shop.products[3]]


async def test_lists_that_have_stood_for_a_week_are_made_anew(database, refreshed):
    shop = await open_shop(database, TITLES)
    await refreshed(NOW)
    async with database.pool.acquire() as connection:
        while await rounds.ask_for_the_old(connection, NOW + timedelta(days=6)):
            await refreshed(NOW + timedelta(days=6))
        assert await rounds.ask_for_the_old(connection, NOW + timedelta(days=8)) > 0
    await refreshed(NOW + timedelta(days=8))
    assert len(await shop.lists()) > 0


async def test_operators_see_what_waits_and_what_was_done(database, api, refreshed):
    async def samples():
        text = (await api[1].get("/metrics")).text
        found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return {one.name: one.value for one in found if one.name.startswith("fshnista_recommendation")}

    await refreshed(NOW)
    before = await samples()
    assert (before["fshnista_recommendation_backlog"], before["fshnista_recommendation_oldest_seconds"]) == (0, 0)
    shop = await open_shop(database, TITLES)
    await shop.add(*shop.order([0, 1]))
    waiting = await samples()
    assert waiting["fshnista_recommendation_backlog"] == len(TITLES) + 1
    assert waiting["fshnista_recommendation_oldest_seconds"] > 0
    await refreshed(NOW)
    after = await samples()
    assert after["fshnista_recommendation_counted_total"] == before["fshnista_recommendation_counted_total"] + 1
    assert after["fshnista_recommendation_lists_total"] >= before["fshnista_recommendation_lists_total"] + len(TITLES)
