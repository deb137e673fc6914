"""The report from outside: what happened in a time, grouped, to the millisecond at the borders of days."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from tests.factories import Partner
from tests.rest_facade.test_affiliates import clicked, make_link
from tests.rest_facade.test_conversions import record
from tests.rest_facade.test_orders import Json, price, shop


async def report(partner: Partner, query: str = "", status: int = 200) -> Json:
    found: Json = (await partner.call("GET", f"/v1/affiliates/report?{query}", status)).json()
    return found


def brief(rows: list[Json], *keys: str) -> list[tuple[Any, ...]]:
    """Each row's keys, clicks, conversions, revenue and commission."""
    return [
        (*(row[key] for key in keys), row["clicks"], row["conversions"], row["revenue"], row["commission"])
        for row in rows
    ]


async def at(moment: str, client, link: Json) -> str:
    """A click at this moment."""
    with time_machine.travel(datetime.fromisoformat(moment), tick=False):
        return await clicked(client, link)


@pytest.fixture
async def history(partner: Partner, other: Partner, open_client):
    """Links of `other`: two to listings of `partner`, one to an address in yen; clicks and sales around midnight."""
    storefront, product = await shop(partner, 9)
    second = await partner.product(storefront)
    links = [await make_link(other, product_id=item["id"]) for item in (product, second)]
    links.append(await make_link(other))
    for moment in (
        "2026-10-01T23:59:59.999Z",
        "2026-10-02T00:00:00Z",
        "2026-10-02T23:59:59.999Z",
        "2026-10-03T00:00:00Z",
    ):
        await at(moment, open_client, links[0])
    await at("2026-10-02T12:00:00Z", open_client, links[1])
    await at("2026-10-02T12:00:00Z", open_client, links[2])
    sales = [
        (links[0], "2026-10-01T23:59:59.999Z", price("1.00")),
        (links[0], "2026-10-03T01:59:59.999+02:00", price("2.00")),
        (links[1], "2026-10-02T12:00:00Z", price("4.00")),
        (links[2], "2026-10-02T12:00:00Z", price("1000", "JPY")),
    ]
    for n, (link, moment, amount) in enumerate(sales):
        await record(other, link_id=link["id"], order_ref=f"H{n}", amount=amount, occurred_at=moment)
    return storefront, (product, second), links


async def test_days_begin_and_end_in_utc(other: Partner, history):
    found = await report(other, "from=2026-10-01&to=2026-10-03")
    assert (found["from"], found["to"], found["group_by"]) == (
        "2026-10-01T00:00:00.000Z", "2026-10-04T00:00:00.000Z", "day",
    )  # fmt: skip
    assert brief(found["data"], "day") == [
        ("2026-10-01", 1, 1, price("1.00"), price("0.10")),
        ("2026-10-02", 3, 2, price("6.00"), price("0.60")),
        ("2026-10-02", 1, 1, price("1000", "JPY"), price("100", "JPY")),
        ("2026-10-03", 1, 0, price("0.00"), price("0.00")),
    ]
    assert found["data"][1]["conversion_rate"] == "0.6667"


@pytest.mark.parametrize(
    ("ends", "clicks", "conversions"),
    [
        ("from=2026-10-02&to=2026-10-02", 4, 3),
        ("from=2026-10-02T00:00:00Z&to=2026-10-02T23:59:59.999Z", 3, 2),
        ("from=2026-10-02T00:00:00.001Z&to=2026-10-03", 4, 3),
        ("from=2026-10-02T02:00:00%2B02:00&to=2026-10-03T00:00:00Z", 4, 3),
        ("from=2026-10-04&to=2026-10-05", 0, 0),
    ],
)
async def test_a_time_has_its_first_moment_and_not_its_last(other: Partner, history, ends, clicks, conversions):
    rows = (await report(other, ends))["data"]
    assert (sum(row["clicks"] for row in rows), sum(row["conversions"] for row in rows)) == (clicks, conversions)


async def test_groups(other: Partner, history):
    storefront, products, links = history
    time = "from=2026-10-01&to=2026-10-03&group_by="
    by_link = {row["link_id"]: row for row in (await report(other, f"{time}link"))["data"]}
    assert brief([by_link[link["id"]] for link in links], "code", "product_id", "storefront_id") == [
        (links[0]["code"], products[0]["id"], storefront["id"], 4, 2, price("3.00"), price("0.30")),
        (links[1]["code"], products[1]["id"], storefront["id"], 1, 1, price("4.00"), price("0.40")),
        (links[2]["code"], None, None, 1, 1, price("1000", "JPY"), price("100", "JPY")),
    ]
    assert brief((await report(other, f"{time}storefront"))["data"], "storefront_id") == [
        (storefront["id"], 5, 3, price("7.00"), price("0.70")),
        (None, 1, 1, price("1000", "JPY"), price("100", "JPY")),
    ]
    by_product = (await report(other, f"{time}product"))["data"]
    assert {row["product_id"]: row["clicks"] for row in by_product} == {
        products[0]["id"]: 4,
        products[1]["id"]: 1,
        None: 1,
    }


async def test_the_affiliate_reads_its_own_and_the_owner_its_storefronts(partner: Partner, other: Partner, history):
    time = "from=2026-10-01&to=2026-10-03&group_by=storefront"
    assert (await report(partner, time))["data"] == []
    assert brief((await report(partner, f"{time}&role=storefront"))["data"], "storefront_id") == [
        (history[0]["id"], 5, 3, price("7.00"), price("0.70"))
    ]
    assert (await report(other, f"{time}&role=storefront"))["data"] == []


async def test_the_sum_of_all_days_is_what_the_links_count(other: Partner, history):
    rows = (await report(other, "from=2026-01-01&to=2026-12-31"))["data"]
    links = (await other.call("GET", "/v1/affiliates/links", 200)).json()["data"]
    for name in ("clicks", "conversions"):
        assert sum(row[name] for row in rows) == sum(link[name] for link in links)


async def test_the_usual_time_is_thirty_days(other: Partner):
    found = await report(other)
    start, end = (datetime.fromisoformat(found[name]) for name in ("from", "to"))
    assert start == datetime.combine((end - timedelta(days=29)).date(), datetime.min.time(), UTC)
    assert abs(datetime.now(UTC) - end) < timedelta(minutes=1)
    assert (await report(other, "to=2026-10-30"))["from"] == "2026-10-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=2026-10-02&to=2026-10-01", "/from"),
        ("from=2025-01-01&to=2026-10-01", "/from"),
        ("from=yesterday", "/from"),
        ("to=2026-10-01T00:00:00", "/to"),
        ("to=0001-01-01", "/to"),
        ("from=9999-12-31&to=9999-12-31", "/to"),
        ("group_by=hour", "/group_by"),
        ("since=2026-10-01", "/since"),
    ],
)
async def test_bad_queries_are_named(other: Partner, query: str, pointer: str):
    problem = await report(other, query, 422)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_it_is_one_statement(other: Partner, history, monkeypatch):
    sent: list[int] = []
    monkeypatch.setattr("db.sessions.count_statement", lambda: sent.append(1))
    await report(other, "from=2026-10-01&to=2026-10-03&group_by=link")
    assert len(sent) == 1
