"""Two clients at once on the same SKU, stock, handle or order end in one consistent state."""

from asyncio import gather

from tests.factories import Partner, unique

ROUNDS = 6
EUR = {"amount": "29.00", "currency": "EUR"}


async def test_one_sku_is_one_product(partner: Partner) -> None:
    storefront = await partner.storefront()
    path = f"/v1/storefronts/{storefront['id']}/products"
    for place in range(ROUNDS):
        bodies = [{"sku": f"R{place}", "title": f"From {n}", "price": EUR} for n in range(6)]
        answers = await gather(*(partner.call("POST", path, json=body) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
        assert len({answer.json()["id"] for answer in answers}) == 1
        kept = (await partner.call("GET", f"/v1/products/{answers[0].json()['id']}", 200)).json()
        assert kept in [answer.json() for answer in answers]
        assert len(kept["variants"]) == 1


async def test_stock_moves_add_up_and_stop_at_zero(partner: Partner) -> None:
    storefront = await partner.storefront()
    for _ in range(ROUNDS):
        names = [unique("V-") for _ in range(3)]
        product = await partner.product(storefront, variants=[{"sku": name, "inventory": 10} for name in names])
        items = [{"sku": name, "adjust": -3} for name in names]
        calls = (partner.call("PUT", "/v1/inventory", json={"items": items[::step]}) for step in (1, -1) * 4)
        statuses = [answer.status_code for answer in await gather(*calls)]
        assert sorted(statuses) == [200] * 3 + [409] * 5
        kept = (await partner.call("GET", f"/v1/products/{product['id']}", 200)).json()
        assert [variant["available"] for variant in kept["variants"]] == [1, 1, 1]


async def test_orders_moves_and_upserts_together(partner: Partner) -> None:
    storefront = await partner.storefront()
    path = f"/v1/storefronts/{storefront['id']}/products"
    for _ in range(ROUNDS):
        sku = unique("V-")
        listing = {"sku": sku, "title": "A", "price": EUR, "variants": [{"sku": sku, "inventory": 20}]}
        product = (await partner.call("POST", path, 201, json=listing)).json()
        order = {"storefront_id": storefront["id"], "lines": [{"sku": sku, "quantity": 4}]}
        retitle = {"sku": sku, "title": "B"}
        answers = await gather(
            *(partner.call("POST", "/v1/orders", json=order) for _ in range(4)),
            *(partner.call("PUT", "/v1/inventory", json={"items": [{"sku": sku, "adjust": -4}]}) for _ in range(4)),
            *(partner.call("POST", path, json=retitle) for _ in range(2)),
            partner.call("PATCH", f"/v1/storefronts/{storefront['id']}", json={"description": sku}),
        )
        statuses = [answer.status_code for answer in answers]
        assert statuses[8:] == [200, 200, 200]
        assert sorted(status in (200, 201) for status in statuses[:8]) == [False] * 3 + [True] * 5
        rows = (await partner.call("GET", f"/v1/inventory?storefrontId={storefront['id']}&limit=100", 200)).json()[
            "data"
        ]
        [row] = [row for row in rows if row["product_id"] == product["id"]]
        assert (row["available"], row["reserved"]) == (0, 4 * statuses[:4].count(201))


async def test_one_handle_is_one_storefront(partner: Partner, other: Partner) -> None:
    for _ in range(ROUNDS):
        body = {"handle": unique("@race"), "name": "A"}
        calls = (client.call("POST", "/v1/storefronts", json=body) for client in (partner, other) * 3)
        assert sorted(answer.status_code for answer in await gather(*calls)) == [201] + [409] * 5
