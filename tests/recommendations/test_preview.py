"""What a partner sees: what goes with a product or a basket, of what may be seen and bought."""

from dataclasses import replace

import httpx
import pytest

from app.asgi import build_app
from app.settings import ROOT
from tests.contract.documents import blocks
from tests.factories import make_partner, unique

PAGE = "totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
NODE = "score reason explanation product { id title }"
OF_PRODUCT = f"""
query($id: ID!, $first: Int, $after: String, $shop: ID) {{ product(id: $id) {{
  recommendations(first: $first, after: $after, storefrontId: $shop) {{ {PAGE} edges {{ cursor node {{ {NODE} }} }} nodes {{ {NODE} }} }}
}} }}
"""
OF_BASKET = f"""
query($ids: [ID!]!, $first: Int, $after: String, $last: Int, $shop: ID) {{
  recommendedProducts(basedOn: $ids, first: $first, after: $after, last: $last, storefrontId: $shop) {{ {PAGE} nodes {{ {NODE} }} }}
}}
"""


async def ask(partner, query, **variables):
    body = {"query": query, "variables": variables}
    answer = (await partner.call("POST", "/graphql/preview", 200, json=body)).json()
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


async def listed(partner, product, **variables):
    found = await ask(partner, OF_PRODUCT, id=product["id"], **variables)
    return found["product"]["recommendations"]


async def basket(partner, products, **variables):
    return (await ask(partner, OF_BASKET, ids=[one["id"] for one in products], **variables))["recommendedProducts"]


def ids(page):
    return [node["product"]["id"] for node in page["nodes"]]


async def coat(partner, storefront, title, **more):
    sku = unique("COAT-")
    body = {"category": "Coats", "title": title, "variants": [{"sku": sku, "inventory": 99}], **more}
    return await partner.product(storefront, sku=sku, **body)


async def order(partner, storefront, *products):
    lines = [{"sku": one["sku"], "quantity": 1} for one in products]
    await partner.call("POST", "/v1/orders", 201, json={"storefront_id": storefront["id"], "lines": lines})


async def test_a_product_without_history_has_what_is_like_it(partner, refreshed):
    storefront = await partner.storefront()
    words = unique("Peakwool")
    coats = [await coat(partner, storefront, f"{words} coat number{n}") for n in range(3)]
    hat = await coat(partner, storefront, f"Straw {unique('hat')}", category="Hats")
    await refreshed()
    found = await listed(partner, coats[0])
    assert set(ids(found)[:2]) == {one["id"] for one in coats[1:]}
    assert hat["id"] not in ids(found)[:2]
    best = found["nodes"][0]
    assert (best["reason"], best["explanation"]) == ("SIMILAR", "Alike in category, attributes or words.")
    assert 0 < best["score"] < 1


async def test_orders_make_what_was_bought_together_come_first(partner, refreshed):
    storefront = await partner.storefront()
    words = unique("Larch")
    chair, *alike = [await coat(partner, storefront, f"{words} chair") for _ in range(4)]
    lamp = await coat(partner, storefront, f"Brass {unique('lamp')}", category="Lamps")
    for _ in range(2):
        await order(partner, storefront, chair, lamp)
    await refreshed()
    assert lamp["id"] not in ids(await listed(partner, chair)), "two visitors are nobody's business"
    for _ in range(20):
        await order(partner, storefront, chair, lamp)
    await refreshed()
    for product, other in ((chair, lamp), (lamp, chair)):
        best = (await listed(partner, product))["nodes"][0]
        assert (best["product"]["id"], best["reason"]) == (other["id"], "BOUGHT_TOGETHER")
    assert {one["id"] for one in alike} <= set(ids(await listed(partner, chair)))


async def test_try_ons_of_one_shopper_and_clicks_before_an_order_count_too(partner, other, refreshed):
    storefront = await partner.storefront()
    hers, his, theirs = [await coat(partner, storefront, unique("Thing"), category=unique("Kind")) for _ in range(3)]
    for shopper in range(4):
        for product in (hers, his, hers):
            body = {
                "product_id": product["id"], "use_case": "product_page", "origin": "https://shop.example",
                "subject": f"shopper {shopper}", "consent": True,
            }  # fmt: skip
            await other.call("POST", "/v1/tryon/sessions", 201, json=body)
    link = (await partner.call("POST", "/v1/affiliates/links", 201, json={"product_id": hers["id"]})).json()
    for shopper in range(4):
        headers = {"user-agent": f"Mozilla/5.0 (X11; Linux x86_64; rv:{shopper}.0)"}
        followed = await other.call("GET", f"/a/{link['code']}", 302, headers=headers)
        click = followed.headers["location"].split("fsh_click=")[1]
        lines = [{"sku": theirs["sku"], "quantity": 1}]
        body = {"storefront_id": storefront["id"], "lines": lines, "click_id": click}
        await partner.call("POST", "/v1/orders", 201, json=body)
    await refreshed()
    found = {node["product"]["id"]: node["reason"] for node in (await listed(partner, hers))["nodes"]}
    assert (found[his["id"]], found[theirs["id"]]) == ("TRIED_TOGETHER", "VIEWED_TOGETHER")


async def test_only_what_the_viewer_may_see_and_what_is_in_stock(partner, other, refreshed):
    storefront, closed = await partner.storefront(), await partner.storefront()
    words = unique("Rill")
    seed, plain, sold_out, unlisted, hidden, draft, archived = [
        await coat(partner, storefront, f"{words} coat") for _ in range(7)
    ]
    away = await coat(partner, closed, f"{words} coat")
    await refreshed()
    everything = {one["id"] for one in (plain, sold_out, unlisted, hidden, draft, archived, away)}

    async def seen(viewer, page_of=listed, seed=seed):
        return everything & set(ids(await page_of(viewer, seed, first=100)))

    async def seen_together(viewer):
        return await seen(viewer, basket, [seed])

    assert await seen(other) == everything
    path = f"/v1/storefronts/{storefront['id']}/products"
    await partner.call("PUT", "/v1/inventory", 200, json={"items": [{"sku": sold_out["sku"], "available": 0}]})
    await partner.call("POST", path, 200, json={"sku": unlisted["sku"], "visibility": "unlisted"})
    await partner.call("POST", path, 200, json={"sku": hidden["sku"], "visibility": "hidden"})
    await partner.call("POST", path, 200, json={"sku": draft["sku"], "status": "draft"})
    await partner.call("DELETE", f"/v1/products/{archived['id']}", 204)
    await partner.call("PATCH", f"/v1/storefronts/{closed['id']}", 200, json={"status": "paused"})
    for _ in range(2):  # at once, and after the lists were made anew
        assert await seen(other) == await seen_together(other) == {plain["id"]}
        whole = await listed(other, seed, first=100)
        assert whole["totalCount"] == len(whole["nodes"])
        owners = await seen(partner)
        assert (
            {plain["id"]}
            <= owners
            == await seen_together(partner)
            <= {one["id"] for one in (plain, unlisted, hidden, away)}
        )
        await refreshed()


async def test_a_basket_is_answered_as_a_whole(partner, other, refreshed):
    storefront = await partner.storefront()
    one, two = unique("Alder"), unique("Birch")
    first, second = await coat(partner, storefront, f"{one} tray"), await coat(partner, storefront, f"{two} bowl")
    both = await coat(partner, storefront, f"{one} tray {two} bowl")
    half = await coat(partner, storefront, f"{one} tray")
    await refreshed()
    found = await basket(other, [first, second])
    assert ids(found)[0] == both["id"]
    assert half["id"] in ids(found)
    assert not {first["id"], second["id"]} & set(ids(found))
    single = {node["product"]["id"]: node["score"] for node in (await listed(other, first))["nodes"]}
    alone = {node["product"]["id"]: node["score"] for node in (await basket(other, [first, first]))["nodes"]}
    assert alone == single


async def test_seeds_that_are_not_there_do_not_count(partner, other, refreshed):
    storefront = await partner.storefront()
    words = unique("Sedge")
    seed, secret, *_ = [await coat(partner, storefront, f"{words} coat") for _ in range(4)]
    path = f"/v1/storefronts/{storefront['id']}/products"
    await partner.call("POST", path, 200, json={"sku": secret["sku"], "visibility": "hidden"})
    await refreshed()
    plain = await basket(other, [seed])
    assert plain["nodes"]
    strange = [{"id": "prd_01JD3T8Q5YB9N7K0V2M4999999"}, {"id": "nope"}]
    assert await basket(other, [seed, *strange]) == plain
    assert (await basket(other, [secret]))["nodes"] == [] == (await basket(other, []))["nodes"]
    assert (await basket(partner, [secret]))["nodes"]


async def test_too_many_seeds_are_refused(partner):
    for seeds, wrong in ((["prd_x"] * 51, "must not name more than 50 ids"), (["a\0b"], "NUL")):
        body = {"query": OF_BASKET, "variables": {"ids": seeds}}
        error = (await partner.call("POST", "/graphql/preview", 200, json=body)).json()["errors"][0]
        assert error["extensions"]["code"] == "BAD_INPUT"
        assert wrong in error["message"] + str(error["extensions"])


async def test_pages_go_on_where_they_ended(partner, refreshed):
    storefront = await partner.storefront()
    seed, *_ = [await coat(partner, storefront, f"{unique('Fjord')} parka number{n % 3}") for n in range(9)]
    await refreshed()
    for page_of in (listed, lambda partner, seed, **more: basket(partner, [seed], **more)):
        whole = await page_of(partner, seed, first=100)
        gathered, after = [], None
        while True:
            page = await page_of(partner, seed, first=3, after=after)
            gathered += page["nodes"]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert gathered == whole["nodes"]
        assert len(gathered) == whole["totalCount"] >= 8
        scores = [node["score"] for node in gathered]
        assert scores == sorted(scores, reverse=True)


async def test_one_storefront_can_be_asked_for(partner, other, refreshed):
    here, there = await partner.storefront(), await other.storefront()
    words = unique("Tarn")
    seed = await coat(partner, here, f"{words} boots")
    mine, theirs = await coat(partner, here, f"{words} boots"), await coat(other, there, f"{words} boots")
    await refreshed()
    assert {mine["id"], theirs["id"]} <= set(ids(await listed(partner, seed)))
    assert theirs["id"] not in ids(await listed(partner, seed, shop=here["id"]))
    assert mine["id"] in ids(await basket(partner, [seed], shop=here["id"]))
    assert ids(await basket(partner, [seed], shop=there["id"]))[0] == theirs["id"]


async def test_the_plan_says_what_the_executor_says_and_is_used(partner, api, refreshed):
    storefront = await partner.storefront()
    products = [await coat(partner, storefront, f"{unique('Ash')} parka") for _ in range(4)]
    await refreshed()
    parts, _ = api
    ran = parts.metrics._executions
    plain = httpx.ASGITransport(build_app(replace(parts, plans=False)))
    headers = {"authorization": f"Bearer {partner.token}"}
    seeds = [one["id"] for one in products[:2]]
    inline = f'query($id: ID!) {{ recommendedProducts(basedOn: [$id, "{seeds[1]}"]) {{ nodes {{ score product {{ sku }} }} }} }}'
    asked = [
        (OF_PRODUCT, {"id": seeds[0]}), (OF_PRODUCT, {"id": seeds[0], "first": 1}), (OF_BASKET, {"ids": seeds}),
        (OF_BASKET, {"ids": products[2]["id"]}), (OF_BASKET, {"ids": seeds, "last": 1}), (inline, {"id": seeds[0]}),
        (inline, {"id": products[3]["id"]}), ("{ products(first: 3) { nodes { recommendations { totalCount } } } }", {}),
    ]  # fmt: skip
    async with httpx.AsyncClient(transport=plain, base_url="http://testserver.example", headers=headers) as executed:
        for query, variables in asked:
            body = {"query": query, "variables": variables}
            one = await executed.post("/graphql/preview", json=body)
            before = ran["planned", ""]
            two = await partner.call("POST", "/graphql/preview", 200, json=body)
            assert one.json() | {"extensions": None} == two.json() | {"extensions": None}
            assert "errors" not in two.json()
            assert ran["planned", ""] == before + 1


@pytest.mark.parametrize("scopes", ["storefronts:read", "preview:events storefronts:read"])
async def test_without_its_scope_it_is_not_there(api, scopes):
    partner = await make_partner(*api, scopes=scopes)
    path = "/graphql/preview" if "preview" in scopes else "/graphql"
    body = {"query": OF_BASKET, "variables": {"ids": []}}
    answer = await partner.http.post(path, json=body)
    assert "Cannot query field 'recommendedProducts'" in answer.text
    assert "did you mean" not in answer.text.lower()


async def test_the_query_of_the_page_works_as_printed(partner, refreshed):
    storefront = await partner.storefront()
    products = [await coat(partner, storefront, f"Twill {unique('cap')}") for _ in range(3)]
    await refreshed()
    (query,) = blocks(ROOT / "docs" / "preview-recommendations.md", "graphql")
    found = await ask(partner, query, basket=[products[0]["id"]])
    assert found["recommendedProducts"]["edges"]
