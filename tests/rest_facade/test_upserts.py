"""Upserts by SKU or id: what differs is written, what does not is left alone."""

from typing import Any

from db.sessions import Database
from tests.factories import Partner

EUR = {"amount": "29.00", "currency": "EUR"}
LISTING: dict[str, Any] = {
    "sku": "JKT", "title": "A jacket", "price": EUR, "metadata": {"b": 1, "a": 2},
    "variants": [
        {"sku": "JKT-M", "options": {"size": "M"}, "inventory": 3},
        {"sku": "JKT-L", "options": {"size": "L"}, "price": {"amount": "31.00", "currency": "EUR"}},
    ],
}  # fmt: skip


async def events_of(db: Database, product: str) -> int:
    """How often the world was told of a product."""
    found: int = await db.fetch_value("select count(*) from events where resource_id = $1", [product])
    return found


async def test_the_same_again_is_silent(partner: Partner, db: Database) -> None:
    path = f"/v1/storefronts/{(await partner.storefront())['id']}/products"
    first = (await partner.call("POST", path, 201, json=LISTING)).json()
    again = (await partner.call("POST", path, 200, json=LISTING)).json()
    assert again == first
    assert await events_of(db, first["id"]) == 1
    changed = (await partner.call("POST", path, 200, json=LISTING | {"title": "B"})).json()
    assert changed["updated_at"] > first["updated_at"]
    assert await events_of(db, first["id"]) == 2


async def test_what_is_left_out_stays_unless_it_is_replaced(partner: Partner) -> None:
    path = f"/v1/storefronts/{(await partner.storefront())['id']}/products"
    await partner.call("POST", path, 201, json=LISTING)
    fewer = {"sku": "JKT", "variants": LISTING["variants"][:1]}
    kept = (await partner.call("POST", path, 200, json=fewer)).json()
    assert [variant["sku"] for variant in kept["variants"]] == ["JKT-M", "JKT-L"]
    replaced = (await partner.call("POST", path, 200, json=fewer | {"replace_variants": True})).json()
    assert [variant["sku"] for variant in replaced["variants"]] == ["JKT-M"]
    assert replaced["total_inventory"] == 3
    back = (await partner.call("POST", path, 200, json=LISTING)).json()
    assert [variant["id"] for variant in back["variants"]] == [variant["id"] for variant in kept["variants"]]


async def test_variants_follow_the_price_unless_they_have_their_own(partner: Partner) -> None:
    path = f"/v1/storefronts/{(await partner.storefront())['id']}/products"
    await partner.call("POST", path, 201, json=LISTING)
    dearer = {"sku": "JKT", "price": EUR | {"amount": "35.00"}}
    prices = [v["price"]["amount"] for v in (await partner.call("POST", path, 200, json=dearer)).json()["variants"]]
    assert prices == ["35.00", "31.00"]


async def test_without_variants_it_has_one_of_its_own_sku(partner: Partner) -> None:
    path = f"/v1/storefronts/{(await partner.storefront())['id']}/products"
    made = (await partner.call("POST", path, 201, json={"sku": "TEE", "title": "A tee", "price": EUR})).json()
    assert [(variant["sku"], variant["available"]) for variant in made["variants"]] == [("TEE", 0)]


async def test_an_id_moves_a_listing_to_another_sku_that_is_free(partner: Partner) -> None:
    path = f"/v1/storefronts/{(await partner.storefront())['id']}/products"
    made = (await partner.call("POST", path, 201, json=LISTING)).json()
    other = (await partner.call("POST", path, 201, json={"sku": "TEE", "title": "A tee", "price": EUR})).json()
    moved = (await partner.call("POST", path, 200, json={"id": made["id"], "sku": "JKT-2"})).json()
    assert (moved["id"], moved["sku"]) == (made["id"], "JKT-2")
    for body, pointer in (
        ({"id": made["id"], "sku": "TEE"}, "/sku"),
        ({"sku": "NEW", "title": "N", "price": EUR, "variants": [{"sku": "x"}, {"sku": "JKT-M"}]}, "/variants/1/sku"),
    ):
        problem = (await partner.call("POST", path, 409, json=body)).json()
        assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
    assert (await partner.call("GET", f"/v1/products/{other['id']}", 200)).json() == other


async def test_who_may_write(partner: Partner, other: Partner) -> None:
    seen, unseen = await partner.storefront(), await partner.storefront(status="draft")
    listing = LISTING | {"variants": []}
    await other.call("POST", f"/v1/storefronts/{seen['id']}/products", 403, json=listing)
    await other.call("POST", f"/v1/storefronts/{unseen['id']}/products", 404, json=listing)
    product = (
        await partner.call("POST", f"/v1/storefronts/{seen['id']}/products", 201, json=LISTING | {"status": "active"})
    ).json()
    shown = (await other.call("GET", f"/v1/products/{product['id']}", 200)).json()
    assert shown["total_inventory"] is None
    assert [(variant["in_stock"], variant["available"]) for variant in shown["variants"]] == [
        (True, None),
        (False, None),
    ]
    await other.call(
        "PUT", "/v1/inventory", 403, json={"items": [{"variant_id": product["variants"][0]["id"], "available": 1}]}
    )
    await other.call("DELETE", f"/v1/products/{product['id']}", 403)
    await partner.call("DELETE", f"/v1/products/{product['id']}", 204)
    await partner.call("DELETE", f"/v1/products/{product['id']}", 204)
    await other.call("GET", f"/v1/products/{product['id']}", 404)
