"""Conversions from outside: counted once, in one currency, by those whom they concern; the counters are their sum."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.factories import Partner, make_partner, unique
from tests.rest_facade.test_affiliates import clicked, events_of, make_link, read_link
from tests.rest_facade.test_orders import Json, lines, place, price, shop, stock_of


async def record(partner: Partner, status: int | None = 201, **body: Any):
    return await partner.call("POST", "/v1/affiliates/conversions", status, json=body)


@pytest.fixture
async def sold(partner: Partner, other: Partner):
    """(storefront, product, link): the first partner's listing, and the other's link to it at a tenth."""
    storefront, product = await shop(partner, 50)
    return storefront, product, await make_link(other, product_id=product["id"])


async def test_a_sale_counts_once(other: Partner, partner: Partner, open_client, db, sold):
    _, _, link = sold
    click = await clicked(open_client, link)
    sale: Json = {
        "click_id": click,
        "order_ref": "R-1",
        "amount": price("29.99"),
        "occurred_at": "2026-11-20T10:00:00.1239+02:00",
    }
    first = (await record(other, **sale)).json()
    assert first == {
        "id": first["id"], "link_id": link["id"], "click_id": click, "order_ref": "R-1", "amount": price("29.99"),
        "commission": price("3.00"), "occurred_at": "2026-11-20T08:00:00.123Z", "created_at": first["created_at"],
    }  # fmt: skip
    assert (await record(other, 200, **sale)).json() == first
    again = {"link_id": link["id"], "order_ref": "R-1", "amount": price("500.00")}
    assert (await record(partner, 200, **again)).json() == first
    found = await read_link(other, link)
    assert (found["clicks"], found["conversions"], found["conversion_rate"]) == (1, 1, "1.0000")
    assert (found["revenue"], found["commission"]) == (price("29.99"), price("3.00"))
    told = [event for event in await events_of(db, link["id"]) if event["type"] == "affiliate.conversion"]
    assert [event["payload"] for event in told] == [first]
    assert sorted(told[0]["audience"]) == sorted([other.user_id, partner.user_id])
    assert told[0]["storefront_id"] == link["storefront_id"]


async def test_a_race_counts_once(other: Partner, partner: Partner, sold):
    _, _, link = sold
    sale = {"link_id": link["id"], "order_ref": "raced", "amount": price("10.00")}
    answers = await asyncio.gather(*(record(who, None, **sale) for who in (other, partner) * 4))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 7}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await read_link(other, link))["conversions"] == 1


async def test_the_counters_are_the_sum_of_many_at_once(other: Partner, sold, open_client):
    _, _, link = sold
    amounts = [Decimal(n) / 100 for n in (5, 15, 25, 35, 1999, 4)]

    async def sell(n: int, amount: Decimal):
        return (await record(other, link_id=link["id"], order_ref=f"N{n}", amount=price(f"{amount:.2f}"))).json()

    made = await asyncio.gather(
        *(sell(n, amount) for n, amount in enumerate(amounts)), *(clicked(open_client, link) for _ in range(4))
    )
    found = await read_link(other, link)
    assert found["revenue"] == price(str(sum(amounts)))
    assert Decimal(found["commission"]["amount"]) == sum(Decimal(sale["commission"]["amount"]) for sale in made[:6])
    assert (found["conversions"], found["clicks"], found["conversion_rate"]) == (6, 4, "1.5000")


async def test_an_order_counts_for_one_link(partner: Partner, other: Partner, parts, open_client, sold):
    _, product, link = sold
    third = await make_partner(parts, open_client)
    rival = await make_link(third, product_id=product["id"])
    first = (await record(other, link_id=link["id"], order_ref="X", amount=price("10.00"))).json()
    problem = (await record(third, 409, link_id=rival["id"], order_ref="X", amount=price("10.00"))).json()
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("counted_elsewhere", "/order_ref")
    assert (await record(partner, 200, link_id=rival["id"], order_ref="X", amount=price("10.00"))).json() == first
    assert (await read_link(third, rival))["conversions"] == 0


async def test_only_the_affiliate_and_the_owner_record(partner: Partner, other: Partner, parts, open_client, sold):
    _, _, link = sold
    click = await clicked(open_client, link)
    stranger = await make_partner(parts, open_client)
    for named in ({"link_id": link["id"]}, {"click_id": click}, {"click_id": "clk_01JD3T8Q5YB9N7K0V2M4XWZC6R"}):
        await record(stranger, 404, **named, order_ref="S", amount=price("1.00"))
    own = await make_link(other)
    await record(partner, 404, link_id=own["id"], order_ref="S", amount=price("1.00"))
    operator = await make_partner(parts, open_client, scopes="platform:read affiliates:write")
    await record(operator, 403, link_id=link["id"], order_ref="S", amount=price("1.00"))
    assert (await read_link(other, link))["conversions"] == 0


async def test_a_link_counts_in_one_currency(other: Partner, sold):
    _, _, link = sold
    problem = (await record(other, 422, link_id=link["id"], order_ref="C", amount=price("10.00", "USD"))).json()
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == ("/amount/currency", "currency_mismatch")
    free = await make_link(other, commission_rate="0.15")
    await record(other, link_id=free["id"], order_ref=unique("C"), amount=price("1010", "JPY"))
    found = await read_link(other, free)
    assert (found["revenue"], found["commission"]) == (price("1010", "JPY"), price("152", "JPY"))
    await record(other, 422, link_id=free["id"], order_ref=unique("C"), amount=price("10.00", "EUR"))


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"click_id": "clk_01JD3T8Q5YB9N7K0V2M4XWZC6R"}, ""),
        ({"link_id": "prd_01JD3T8Q5YB9N7K0V2M4XWZC6R"}, "/link_id"),
        ({"order_ref": ""}, "/order_ref"),
        ({"order_ref": "a\0b"}, "/order_ref"),
        ({"amount": price("-1.00")}, "/amount/amount"),
        ({"amount": price("1.001")}, "/amount/amount"),
        ({"occurred_at": (datetime.now(UTC) + timedelta(days=2)).isoformat()}, "/occurred_at"),
        ({"occurred_at": "2026-11-20T10:00:00"}, "/occurred_at"),
        ({"commission": price("1.00")}, "/commission"),
    ],
)
async def test_bad_input_is_named(other: Partner, sold, change: Json, pointer: str):
    body = {"link_id": sold[2]["id"], "order_ref": "B", "amount": price("1.00"), **change}
    answer = await record(other, 422, **body)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_an_order_with_a_click_is_a_conversion(partner: Partner, other: Partner, open_client, db, sold):
    storefront, product, link = sold
    click = await clicked(open_client, link)
    order = (await place(partner, storefront, lines(product, 3), click_id=click)).json()
    assert order["click_id"] == click
    found = await read_link(other, link)
    assert (found["conversions"], found["revenue"], found["commission"]) == (1, price("30.00"), price("3.00"))
    told = [event["payload"] for event in await events_of(db, link["id"]) if event["type"] == "affiliate.conversion"]
    assert [(sale["order_ref"], sale["click_id"], sale["amount"]) for sale in told] == [
        (order["id"], click, price("30.00"))
    ]
    again = {"link_id": link["id"], "order_ref": order["id"], "amount": price("30.00")}
    assert (await record(other, 200, **again)).json() == told[0]


async def test_an_order_is_not_placed_on_a_click_that_leads_elsewhere(
    partner: Partner, other: Partner, open_client, sold
):
    storefront, product, link = sold
    elsewhere, _ = await shop(partner, 5)
    strangers = await clicked(open_client, await make_link(other))
    for click in (strangers, "clk_01JD3T8Q5YB9N7K0V2M4XWZC6R"):
        problem = (await place(partner, storefront, lines(product, 1), 422, click_id=click)).json()
        assert [error["pointer"] for error in problem["errors"]] == ["/click_id"]
    dollars = await partner.product(
        elsewhere, price=price("9.00", "USD"), variants=[{"sku": unique("D"), "inventory": 5}]
    )
    click = await clicked(open_client, link)
    await place(partner, elsewhere, lines(dollars, 1), 422, click_id=click)
    assert await stock_of(partner, storefront) == [(50, 0)]
    own = await clicked(open_client, await make_link(partner))
    await place(partner, elsewhere, lines(dollars, 1), click_id=own)


async def test_orders_clicks_and_sales_at_once_neither_deadlock_nor_lose_any(
    partner: Partner, other: Partner, open_client, sold
):
    storefront, product, link = sold
    clicks = [await clicked(open_client, link) for _ in range(3)]

    async def buy(n: int) -> None:
        await place(partner, storefront, lines(product, 1), click_id=clicks[n % 3])

    async def sell(n: int) -> None:
        await record(other, click_id=clicks[n % 3], order_ref=f"at-once-{n}", amount=price("1.00"))

    async def click(_: int) -> None:
        await clicked(open_client, link)

    await asyncio.gather(*(act(n) for n in range(8) for act in (buy, sell, click)))
    found = await read_link(other, link)
    assert (found["clicks"], found["conversions"], found["revenue"]) == (11, 16, price("88.00"))
