"""Lists: pages by keyset, which skip and double nothing while rows are added."""

import re

import pytest

from tests.factories import Partner

EUR = {"amount": "29.00", "currency": "EUR"}


async def test_pages_are_whole_while_rows_are_added(partner: Partner) -> None:
    storefront = await partner.storefront()
    made = [(await partner.product(storefront))["id"] for _ in range(7)]
    path, seen, added = f"/v1/storefronts/{storefront['id']}/products?limit=3", list[str](), list[str]()
    while True:
        answer = await partner.call("GET", path, 200)
        page = answer.json()
        seen += [item["id"] for item in page["data"]]
        if not page["has_more"]:
            break
        if len(added) < 2:
            added.append((await partner.product(storefront))["id"])
        link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers["link"])
        assert link is not None
        assert page["next_cursor"] in link[1]
        path = link[1]
    assert seen == made + added
    assert page["next_cursor"] is None
    assert "link" not in answer.headers


async def test_the_link_keeps_what_was_asked(partner: Partner) -> None:
    storefront = await partner.storefront()
    for _ in range(3):
        await partner.product(storefront, status="draft")
        await partner.product(storefront)
    path = f"/v1/storefronts/{storefront['id']}/products?limit=2&status=draft&updated_since=2026-01-01T00:00:00Z"
    answer = await partner.call("GET", path, 200)
    following = await partner.call("GET", answer.headers["link"].split(">")[0][1:], 200)
    items = answer.json()["data"] + following.json()["data"]
    assert [item["status"] for item in items] == ["draft"] * 3
    assert following.json()["has_more"] is False


@pytest.mark.parametrize("limit", [1, 100])
async def test_limits(partner: Partner, limit: int) -> None:
    await partner.storefront()
    await partner.storefront()
    page = (await partner.call("GET", f"/v1/storefronts?owner=me&limit={limit}", 200)).json()
    assert (len(page["data"]), page["has_more"]) == (min(limit, 2), limit == 1)


async def test_the_default_is_twenty(partner: Partner) -> None:
    storefront = await partner.storefront()
    variants = [{"sku": f"V-{n}"} for n in range(21)]
    await partner.product(storefront, variants=variants)
    page = (await partner.call("GET", f"/v1/inventory?storefrontId={storefront['id']}", 200)).json()
    assert (len(page["data"]), page["has_more"]) == (20, True)


async def test_a_cursor_of_another_order_is_refused(partner: Partner) -> None:
    await partner.storefront()
    await partner.storefront()
    query = "{ storefronts(first: 1, sort: HANDLE_DESC) { pageInfo { endCursor } } }"
    cursor = (await partner.data(query))["storefronts"]["pageInfo"]["endCursor"]
    problem = (await partner.call("GET", f"/v1/storefronts?cursor={cursor}", 422)).json()
    assert [fault["pointer"] for fault in problem["errors"]] == ["/cursor"]
