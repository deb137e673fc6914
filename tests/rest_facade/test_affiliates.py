"""Affiliate links from outside: what they are made of, who sees them, who is counted on the way through."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import time_machine

from tests.factories import Partner, make_partner, unique
from tests.rest_facade.test_orders import Json

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"
TEN_PAST_NOON = datetime(2026, 11, 20, 12, 10, tzinfo=UTC)


async def make_link(partner: Partner, **body) -> Json:
    """A link to an address, unless it says otherwise."""
    if "product_id" not in body:
        body.setdefault("destination_url", "https://example.com/coat")
    made: Json = (await partner.call("POST", "/v1/affiliates/links", 201, json=body)).json()
    return made


async def read_link(partner: Partner, link: Json) -> Json:
    found: Json = (await partner.call("GET", f"/v1/affiliates/links/{link['id']}", 200)).json()
    return found


async def follow(client: httpx.AsyncClient, link: Json, agent: str = BROWSER, status: int = 302, **more) -> str:
    """Where the link leads."""
    method = more.pop("method", "GET")
    headers = {"user-agent": agent, **more.pop("headers", {})}
    answer = await client.request(method, f"/a/{link['code']}", headers=headers, **more)
    assert answer.status_code == status, answer.text
    return str(answer.headers.get("location", ""))


def click_of(location: str) -> str:
    return parse_qs(urlsplit(location).query)["fsh_click"][0]


async def clicked(client: httpx.AsyncClient, link: Json, agent: str = "") -> str:
    """The id of a new visitor's click."""
    return click_of(await follow(client, link, agent or f"{BROWSER} {unique('visitor')}"))


async def events_of(db, resource_id: str) -> list[Json]:
    rows = await db.fetch("select * from events where resource_id = $1 order by resource_sequence", [resource_id])
    return [dict(row) for row in rows]


async def test_a_link_starts_from_nothing(partner: Partner, platform):
    storefront = await partner.storefront(handle=unique("@maker"))
    product = await partner.product(storefront, sku=unique("JKT 01/"))
    answer = await partner.call("POST", "/v1/affiliates/links", 201, json={"product_id": product["id"]})
    link = answer.json()
    assert answer.headers["location"] == f"/v1/affiliates/links/{link['id']}"
    nothing = {"amount": "0.00", "currency": "EUR"}
    assert link == {
        "id": link["id"], "code": link["code"], "url": f"{platform.public_url}/a/{link['code']}",
        "destination_url": f"https://shop.example/{storefront['handle']}/{product['sku'].replace(' ', '%20').replace('/', '%2F')}",
        "product_id": product["id"], "storefront_id": storefront["id"], "clicks": 0, "conversions": 0,
        "conversion_rate": "0.0000", "revenue": nothing, "commission": nothing, "commission_rate": "0.1000",
        "metadata": {}, "created_at": link["created_at"],
    }  # fmt: skip
    assert set(link["code"]) <= set("23456789abcdefghjkmnpqrstuvwxyz")
    assert await read_link(partner, link) == link


async def test_a_link_leads_where_the_listing_is_sold(partner: Partner):
    storefront = await partner.storefront(metadata={"url": "https://maker.example/shop"})
    plain = await partner.product(storefront)
    own = await partner.product(storefront, metadata={"url": "https://maker.example/coat?c=1#top"})
    unsafe = await partner.product(storefront, metadata={"url": "http://maker.example/coat"})
    found = [
        (await make_link(partner, product_id=product["id"]))["destination_url"] for product in (plain, own, unsafe)
    ]
    assert found == ["https://maker.example/shop", "https://maker.example/coat?c=1#top", "https://maker.example/shop"]


async def test_a_code_is_taken_once(partner: Partner, other: Partner):
    code = unique("Autumn_coat-")
    link = await make_link(partner, code=code, commission_rate="0.25", metadata={"channel": "mail"})
    assert (link["code"], link["commission_rate"], link["metadata"]) == (code, "0.2500", {"channel": "mail"})
    body = {"destination_url": "https://example.com/", "code": code}
    problem = (await other.call("POST", "/v1/affiliates/links", 409, json=body)).json()
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("code_taken", "/code")
    raced = unique("raced-")
    answers = await asyncio.gather(
        *(partner.call("POST", "/v1/affiliates/links", json={**body, "code": raced}) for _ in range(6))
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 5}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"destination_url": "https://example.com", "product_id": "prd_01JD3T8Q5YB9N7K0V2M4XWZC6R"}, ""),
        ({"destination_url": "javascript:alert(1)"}, "/destination_url"),
        ({"destination_url": "https://bank.example@evil.example/"}, "/destination_url"),
        ({"destination_url": "https://example.com/\r\nSet-Cookie: a=b"}, "/destination_url"),
        ({"destination_url": "https://example.com/", "code": "ab"}, "/code"),
        ({"destination_url": "https://example.com/", "code": "a b c"}, "/code"),
        ({"destination_url": "https://example.com/", "code": "abc\n"}, "/code"),
        ({"destination_url": "https://example.com/", "commission_rate": "1.01"}, "/commission_rate"),
        ({"destination_url": "https://example.com/", "commission_rate": "0.00001"}, "/commission_rate"),
        ({"destination_url": "https://example.com/", "commission_rate": 0.1}, "/commission_rate"),
        ({"destination_url": "https://example.com/", "commission_rate": "-0.1"}, "/commission_rate"),
        ({"destination_url": "https://example.com/", "clicks": 7}, "/clicks"),
    ],
)
async def test_bad_input_is_named(partner: Partner, body: Json, pointer: str):
    answer = await partner.call("POST", "/v1/affiliates/links", 422, json=body)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_only_visible_products_can_be_linked(partner: Partner, other: Partner):
    storefront = await partner.storefront()
    draft = await partner.product(storefront, status="draft")
    for product_id in (draft["id"], "prd_01JD3T8Q5YB9N7K0V2M4XWZC6R"):
        await other.call("POST", "/v1/affiliates/links", 404, json={"product_id": product_id})
    assert (await make_link(partner, product_id=draft["id"]))["product_id"] == draft["id"]


async def test_a_link_shows_to_its_affiliate_and_the_storefronts_owner(
    partner: Partner, other: Partner, parts, open_client
):
    storefront = await partner.storefront()
    product = await partner.product(storefront)
    link = await make_link(other, product_id=product["id"])
    own = await make_link(other)
    assert await read_link(other, link) == await read_link(partner, link) == link
    await partner.call("GET", f"/v1/affiliates/links/{own['id']}", 404)
    stranger = await make_partner(parts, open_client)
    await stranger.call("GET", f"/v1/affiliates/links/{link['id']}", 404)

    async def ids(viewer: Partner, query: str = "") -> list[str]:
        answer = await viewer.call("GET", f"/v1/affiliates/links{query}", 200)
        return [item["id"] for item in answer.json()["data"]]

    assert await ids(other) == [link["id"], own["id"]]
    assert await ids(partner) == []
    assert await ids(other, f"?product_id={product['id']}") == [link["id"]]
    assert await ids(other, f"?storefront_id={storefront['id']}") == [link["id"]]
    assert await ids(other, f"?code={own['code']}") == [own["id"]]
    first = (await other.call("GET", "/v1/affiliates/links?limit=1", 200)).json()
    assert await ids(other, f"?limit=1&cursor={first['next_cursor']}") == [own["id"]]


async def test_following_counts_one_click_a_visitor_and_hour(partner: Partner, open_client, db):
    link = await make_link(partner, destination_url="https://example.com/coat?size=M&size=L#reviews")
    with time_machine.travel(TEN_PAST_NOON, tick=False) as clock:
        location = await follow(open_client, link)
        click = click_of(location)
        assert location == f"https://example.com/coat?size=M&size=L&fsh_click={click}#reviews"
        assert await follow(open_client, link) == location
        clock.move_to(TEN_PAST_NOON + timedelta(minutes=49, seconds=59))
        assert await follow(open_client, link) == location
        clock.move_to(TEN_PAST_NOON + timedelta(minutes=50))
        assert click_of(await follow(open_client, link)) != click
    assert (await read_link(partner, link))["clicks"] == 2
    events = await events_of(db, link["id"])
    assert [(event["type"], event["audience"]) for event in events] == [("affiliate.click", [partner.user_id])] * 2
    assert events[0]["payload"] == {
        "id": click, "link_id": link["id"], "code": link["code"], "product_id": None, "storefront_id": None,
        "occurred_at": "2026-11-20T12:10:00.000Z",
    }  # fmt: skip


async def test_visitors_are_told_apart_by_address_and_agent_and_never_kept(partner: Partner, app, db):
    link, second = await make_link(partner), await make_link(partner)
    clicks = set()
    for address in ("203.0.113.7", "2001:db8::7"):
        transport = httpx.ASGITransport(app, client=(address, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver.example") as client:
            with time_machine.travel(TEN_PAST_NOON, tick=False):
                clicks |= {await clicked(client, link, f"{BROWSER} {n}") for n in (1, 2, 1)}
                await clicked(client, second, f"{BROWSER} 1")
    assert len(clicks) == (await read_link(partner, link))["clicks"] == 4
    rows = await db.fetch("select * from clicks where link_id = any($1::text[])", [[link["id"], second["id"]]])
    assert len({row["visitor"] for row in rows}) == 6, "a visitor of two links is two visitors"
    assert not any(b"203.0.113" in row["visitor"] or b"Mozilla" in row["visitor"] for row in rows)


@pytest.mark.parametrize(
    ("agent", "more"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", {}),
        ("facebookexternalhit/1.1", {}),
        ("curl/8.14.1", {}),
        ("", {}),
        (BROWSER, {"method": "HEAD"}),
        (BROWSER, {"headers": {"sec-purpose": "prefetch;prerender"}}),
    ],
)
async def test_bots_and_head_go_on_uncounted(partner: Partner, open_client, db, agent: str, more: Json):
    link = await make_link(partner, destination_url="https://example.com/coat?a=1#b")
    assert await follow(open_client, link, agent, **more) == "https://example.com/coat?a=1#b"
    assert (await read_link(partner, link))["clicks"] == 0
    assert await events_of(db, link["id"]) == []


async def test_a_redirect_is_kept_by_nobody(partner: Partner, open_client):
    link = await make_link(partner)
    answer = await open_client.get(f"/a/{link['code']}?utm_source=a&utm_source=b&%ff", headers={"user-agent": BROWSER})
    assert answer.status_code == 302
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    assert answer.content == b""


@pytest.mark.parametrize("code", ["nobody-has-this", "a%00b", "ab", "%ff%fe%fd", "x" * 200, "a'b\"c", "%ed%a0%80"])
async def test_an_unknown_code_is_not_found(open_client, code: str):
    answer = await open_client.get(f"/a/{code}", headers={"user-agent": BROWSER})
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


async def test_a_crowd_is_counted_exactly(partner: Partner, open_client, db):
    links = [await make_link(partner) for _ in range(2)]
    agents = [f"{BROWSER} {n}" for n in range(12)]
    with time_machine.travel(TEN_PAST_NOON, tick=False):
        visits = [(link, agent) for link in links for agent in agents for _ in range(3)]
        found = await asyncio.gather(*(follow(open_client, link, agent) for link, agent in visits))
    ids = {(link["id"], agent): set[str]() for link, agent in visits}
    for (link, agent), location in zip(visits, found, strict=True):
        ids[link["id"], agent].add(click_of(location))
    assert {len(clicks) for clicks in ids.values()} == {1}
    assert len(set.union(*ids.values())) == 24
    assert [(await read_link(partner, link))["clicks"] for link in links] == [12, 12]
    events = [event["payload"]["id"] for link in links for event in await events_of(db, link["id"])]
    assert sorted(events) == sorted(set.union(*ids.values()))


async def test_a_click_costs_one_read_and_two_writes_and_a_repeated_one_a_read(
    partner: Partner, open_client, monkeypatch
):
    link = await make_link(partner)
    sent: list[int] = []
    monkeypatch.setattr("db.sessions.count_statement", lambda: sent.append(1))
    with time_machine.travel(TEN_PAST_NOON, tick=False):
        await follow(open_client, link)
        first = len(sent)
        await follow(open_client, link)
    assert (first, len(sent) - first) == (3, 1)
