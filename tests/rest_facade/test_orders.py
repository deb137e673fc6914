"""Orders from outside: what is reserved, what is refused, who may, and what races end in."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.factories import Partner, unique

Json = dict[str, Any]
EUR = "EUR"


def price(amount: str, currency: str = EUR) -> Json:
    return {"amount": amount, "currency": currency}


async def shop(partner: Partner, *stock: int) -> tuple[Json, Json]:
    """An active storefront with one product, whose variants `…-0`, `…-1`, … have this stock and cost 10.00, 11.00, …"""
    storefront = await partner.storefront()
    sku = unique("TEE-")
    variants = [
        {"sku": f"{sku}-{n}", "inventory": pieces, "price": price(f"{10 + n}.00")} for n, pieces in enumerate(stock)
    ]
    return storefront, await partner.product(storefront, sku=sku, title="A tee", variants=variants)


def lines(product: Json, *quantities: int) -> list[Json]:
    pairs = zip(product["variants"], quantities, strict=False)
    return [{"variant_id": variant["id"], "quantity": quantity} for variant, quantity in pairs if quantity]


async def place(partner: Partner, storefront: Json, asked: list[Json], status: int | None = 201, **more):
    body = {"storefront_id": storefront["id"], "lines": asked, **more}
    return await partner.call("POST", "/v1/orders", status, json=body)


async def stock_of(partner: Partner, storefront: Json) -> list[tuple[int, int]]:
    """(available, reserved) of each variant in the order of their ids."""
    answer = await partner.call("GET", f"/v1/inventory?storefrontId={storefront['id']}&limit=100", 200)
    return [(item["available"], item["reserved"]) for item in answer.json()["data"]]


async def events_of(db, resource_id: str) -> list[Json]:
    rows = await db.fetch("select * from events where resource_id = $1 order by resource_sequence", [resource_id])
    return [dict(row) for row in rows]


async def test_an_order_reserves_and_its_fulfilment_lets_go(partner: Partner, db):
    storefront, product = await shop(partner, 5, 7)
    asked = [{"sku": product["variants"][1]["sku"], "quantity": 3}, *lines(product, 2)]
    answer = await place(partner, storefront, asked, external_ref="web-1001")
    order = answer.json()
    assert answer.headers["location"] == f"/v1/orders/{order['id']}"
    assert (order["status"], order["external_ref"], order["fulfilled_at"]) == ("created", "web-1001", None)
    assert order["total"] == price("53.00")
    told = [(line["variant_id"], line["title"], line["quantity"], line["price"]) for line in order["lines"]]
    first, second = (variant["id"] for variant in product["variants"])
    assert told == [(second, "A tee", 3, price("11.00")), (first, "A tee", 2, price("10.00"))]
    assert await stock_of(partner, storefront) == [(3, 2), (4, 3)]

    fulfilled = (await partner.call("POST", f"/v1/orders/{order['id']}/fulfill", 200)).json()
    assert fulfilled["status"] == "fulfilled"
    assert fulfilled["fulfilled_at"] == fulfilled["updated_at"] > order["created_at"]
    assert await stock_of(partner, storefront) == [(3, 0), (4, 0)]
    assert (await partner.call("GET", f"/v1/orders/{order['id']}", 200)).json() == fulfilled

    again = (await partner.call("POST", f"/v1/orders/{order['id']}/fulfill", 200)).json()
    assert again == fulfilled
    events = await events_of(db, order["id"])
    assert [(event["type"], event["payload"], event["audience"]) for event in events] == [
        ("order.created", order, [partner.user_id]),
        ("order.fulfilled", fulfilled, [partner.user_id]),
    ]
    assert {event["storefront_id"] for event in events} == {storefront["id"]}


async def test_an_order_changes_the_listing_and_a_fulfilment_does_not(partner: Partner, db):
    storefront, product = await shop(partner, 5)
    order = (await place(partner, storefront, lines(product, 2))).json()
    await partner.call("POST", f"/v1/orders/{order['id']}/fulfill", 200)
    events = await events_of(db, product["id"])
    assert [event["payload"]["total_inventory"] for event in events] == [5, 3]


async def test_too_little_stock_names_the_line_and_takes_nothing(partner: Partner, db):
    storefront, product = await shop(partner, 5, 1)
    problem = (await place(partner, storefront, lines(product, 2, 2), 409)).json()
    assert problem["code"] == "insufficient_stock"
    assert problem["errors"][0]["pointer"] == "/lines/1/quantity"
    assert product["variants"][1]["sku"] in problem["detail"]
    assert await stock_of(partner, storefront) == [(5, 0), (1, 0)]
    assert (await partner.call("GET", f"/v1/orders?storefrontId={storefront['id']}", 200)).json()["data"] == []
    assert len(await events_of(db, product["id"])) == 1


async def test_a_reference_is_used_once_in_a_storefront(partner: Partner):
    storefront, product = await shop(partner, 9)
    first = (await place(partner, storefront, lines(product, 1), external_ref="A-1")).json()
    problem = (await place(partner, storefront, lines(product, 1), 409, external_ref="A-1")).json()
    assert problem["code"] == "duplicate_external_ref"
    assert first["id"] in problem["detail"]
    elsewhere, other_product = await shop(partner, 9)
    await place(partner, elsewhere, lines(other_product, 1), external_ref="A-1")
    assert await stock_of(partner, storefront) == [(8, 1)]


async def test_what_cannot_be_ordered_is_named_line_by_line(partner: Partner):
    storefront, product = await shop(partner, 9, 9)
    _, foreign = await shop(partner, 9)
    dollars = await partner.product(storefront, price=price("30.00", "USD"))
    archived = await partner.product(storefront)
    await partner.call("DELETE", f"/v1/products/{archived['id']}", 204)
    asked = [
        *lines(product, 1),
        {"sku": "nothing like it", "quantity": 1},
        *lines(foreign, 1),
        *lines(dollars, 1),
        *lines(archived, 1),
        {"sku": product["variants"][0]["sku"], "quantity": 1},
    ]
    problem = (await place(partner, storefront, asked, 422)).json()
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
        ("/lines/1/sku", "not_found"),
        ("/lines/2/variant_id", "not_found"),
        ("/lines/3", "mixed_currencies"),
        ("/lines/4/variant_id", "archived"),
        ("/lines/5", "duplicate"),
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"lines": []}, "/lines"),
        ({"lines": [{"sku": "x", "quantity": 0}]}, "/lines/0/quantity"),
        ({"lines": [{"sku": "x", "quantity": 10**30}]}, "/lines/0/quantity"),
        ({"lines": [{"sku": "x", "quantity": "1"}]}, "/lines/0/quantity"),
        ({"lines": [{"quantity": 1}]}, "/lines/0"),
        ({"lines": [{"sku": "x", "variant_id": "var_01JD3T8Q5YB9N7K0V2M4XWZC6R", "quantity": 1}]}, "/lines/0"),
        ({"lines": [{"sku": "x\0", "quantity": 1}]}, "/lines/0/sku"),
        ({"lines": [{"variant_id": "prd_01JD3T8Q5YB9N7K0V2M4XWZC6R", "quantity": 1}]}, "/lines/0/variant_id"),
        ({"lines": [{"sku": "x", "quantity": 1}], "external_ref": ""}, "/external_ref"),
        ({"lines": [{"sku": "x", "quantity": 1}], "colour": "red"}, "/colour"),
        ({"lines": [{"sku": f"x{n}", "quantity": 1} for n in range(101)]}, "/lines"),
    ],
)
async def test_bad_input_is_named(partner: Partner, body: Json, pointer: str):
    storefront = await partner.storefront()
    answer = await partner.call("POST", "/v1/orders", 422, json={"storefront_id": storefront["id"], **body})
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_only_the_owner_orders_and_sees(partner: Partner, other: Partner):
    storefront, product = await shop(partner, 5)
    hidden = await partner.storefront(status="draft")
    order = (await place(partner, storefront, lines(product, 1))).json()
    assert (await place(other, storefront, lines(product, 1), 403)).json()["code"] == "forbidden"
    await place(other, hidden, lines(product, 1), 404)
    await other.call("GET", f"/v1/orders/{order['id']}", 404)
    await other.call("POST", f"/v1/orders/{order['id']}/fulfill", 404)
    assert (await other.call("GET", f"/v1/orders?storefrontId={storefront['id']}", 200)).json()["data"] == []
    assert await stock_of(partner, storefront) == [(4, 1)]


async def test_the_list_filters_and_pages(partner: Partner):
    storefront, product = await shop(partner, 9)
    elsewhere, other_product = await shop(partner, 9)
    made = [(await place(partner, storefront, lines(product, 1), external_ref=f"r{n}")).json() for n in range(3)]
    await place(partner, elsewhere, lines(other_product, 1))
    done = (await partner.call("POST", f"/v1/orders/{made[1]['id']}/fulfill", 200)).json()
    here = f"/v1/orders?storefrontId={storefront['id']}"

    async def ids(more: str) -> list[str]:
        return [order["id"] for order in (await partner.call("GET", here + more, 200)).json()["data"]]

    assert await ids("") == [order["id"] for order in made]
    assert await ids("&status=fulfilled") == [done["id"]]
    assert await ids("&external_ref=r2") == [made[2]["id"]]
    first = (await partner.call("GET", f"{here}&limit=2", 200)).json()
    assert first["has_more"]
    assert await ids(f"&limit=2&cursor={first['next_cursor']}") == [made[2]["id"]]
    assert first["data"][1] == done


async def test_buyers_racing_for_the_last_piece_end_with_one_order(partner: Partner, db):
    storefront, product = await shop(partner, 1)
    answers = await asyncio.gather(*(place(partner, storefront, lines(product, 1), None) for _ in range(8)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
    assert await stock_of(partner, storefront) == [(0, 1)]
    assert len(await events_of(db, product["id"])) == 2


async def test_a_reference_raced_for_is_placed_once(partner: Partner):
    storefront = await partner.storefront()
    products = [await partner.product(storefront, variants=[{"sku": unique("R-"), "inventory": 9}]) for _ in range(6)]
    answers = await asyncio.gather(
        *(place(partner, storefront, lines(product, 1), None, external_ref="once") for product in products)
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 5}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"duplicate_external_ref"}
    assert sum(reserved for _, reserved in await stock_of(partner, storefront)) == 1


async def test_everything_that_moves_stock_at_once_neither_deadlocks_nor_loses_a_piece(partner: Partner):
    storefront, product = await shop(partner, 200, 200, 200)
    second = await partner.product(storefront, variants=[{"sku": unique("X-"), "inventory": 200}])
    both = [*lines(product, 1, 1, 1), *lines(second, 1)]

    async def buy(n: int) -> None:
        asked = both if n % 2 else both[::-1]
        order = (await place(partner, storefront, asked)).json()
        await partner.call("POST", f"/v1/orders/{order['id']}/fulfill", 200)

    async def restock(n: int) -> None:
        item = {"variant_id": both[n % 4]["variant_id"], "adjust": 2}
        await partner.call("PUT", "/v1/inventory", 200, json={"items": [item]})

    async def edit(n: int) -> None:
        body = {"sku": product["sku"], "title": f"A tee {n}"}
        await partner.call("POST", f"/v1/storefronts/{storefront['id']}/products", 200, json=body)

    async def close_and_open(n: int) -> None:
        body = {"status": "paused" if n % 2 else "active"}
        await partner.call("PATCH", f"/v1/storefronts/{storefront['id']}", 200, json=body)

    await asyncio.gather(*(act(n) for n in range(12) for act in (buy, restock, edit, close_and_open)))
    assert await stock_of(partner, storefront) == [(200 - 12 + 2 * 3, 0)] * 4


async def test_fulfilling_at_once_happens_once(partner: Partner, db):
    storefront, product = await shop(partner, 3)
    order = (await place(partner, storefront, lines(product, 2))).json()
    path = f"/v1/orders/{order['id']}/fulfill"
    answers = await asyncio.gather(*(partner.call("POST", path, 200) for _ in range(6)))
    assert len({answer.text for answer in answers}) == 1
    assert await stock_of(partner, storefront) == [(1, 0)]
    assert [event["type"] for event in await events_of(db, order["id"])] == ["order.created", "order.fulfilled"]


async def test_an_idempotency_key_places_one_order(partner: Partner):
    storefront, product = await shop(partner, 5)
    body = {"storefront_id": storefront["id"], "lines": lines(product, 1)}
    key = {"Idempotency-Key": unique("order-")}
    first = await partner.call("POST", "/v1/orders", 201, json=body, headers=key)
    second = await partner.call("POST", "/v1/orders", 201, json=body, headers=key)
    assert second.json() == first.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert await stock_of(partner, storefront) == [(4, 1)]
