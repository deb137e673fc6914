"""ETags: reads answer 304, writes are held to what was read, and a write's ETag is that of the read after it."""

from typing import Any

import httpx
import pytest

from tests.factories import Partner, unique

EUR = {"amount": "29.00", "currency": "EUR"}
STALE = {"if-match": '"00000000000000000000000000000000"'}


async def test_reads_answer_304_to_those_who_have_it(partner: Partner) -> None:
    storefront = await partner.storefront()
    product = await partner.product(storefront)
    for path in (
        "/v1/me",
        "/v1/storefronts?owner=me",
        f"/v1/storefronts/{storefront['id']}",
        f"/v1/products/{product['id']}",
    ):
        tag = (await partner.call("GET", path, 200)).headers["etag"]
        assert tag.startswith('"')
        for sent in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            answer = await partner.call("GET", path, 304, headers={"if-none-match": sent})
            assert (answer.content, answer.headers["etag"]) == (b"", tag)
        assert (await partner.call("GET", path, 200, headers={"if-none-match": '"other"'})).json()


async def test_the_etag_of_a_write_is_that_of_the_next_read(partner: Partner) -> None:
    async def write(method: str, path: str, body: Any, **headers: str) -> httpx.Response:
        answer = await partner.call(method, path, json=body, headers=headers)
        noun = "products" if "sku" in answer.json() else "storefronts"
        read = await partner.call("GET", f"/v1/{noun}/{answer.json()['id']}", 200)
        assert (read.headers["etag"], read.content) == (answer.headers["etag"], answer.content)
        return answer

    body = {"handle": unique("@etag"), "name": "A", "metadata": {"b": [1, 2.5], "a": "ü"}}
    made = await write("POST", "/v1/storefronts", body)
    path = made.headers["location"]
    await write("PATCH", path, {"status": "active"}, **{"if-match": made.headers["etag"]})
    variants = [
        {"sku": "X-M", "options": {"size": "M"}, "inventory": 3},
        {"sku": "X-L", "price": EUR | {"amount": "31"}},
    ]
    listing = {"sku": "X", "title": "A coat", "price": EUR, "variants": variants}
    await write("POST", f"{path}/products", listing)
    await write("POST", f"{path}/products", listing | {"title": "Another"})
    await write("POST", f"{path}/products", listing | {"variants": variants[:1], "replace_variants": True})
    await write("PATCH", path, {"description": "Now with a product."})


async def test_stale_writes_are_412_and_change_nothing(partner: Partner) -> None:
    storefront = await partner.storefront()
    product = await partner.product(storefront)
    path, own = f"/v1/storefronts/{storefront['id']}", f"/v1/products/{product['id']}"
    listing = {"sku": product["sku"], "title": "New", "price": EUR}
    move = {"items": [{"sku": product["sku"], "available": 9}]}
    for method, place, body in (
        ("PATCH", path, {"name": "New"}), ("POST", f"{path}/products", listing), ("DELETE", own, None),
        ("PUT", "/v1/inventory", move), ("POST", f"{path}/products", listing | {"sku": "NEW"}),
    ):  # fmt: skip
        problem = (await partner.call(method, place, 412, json=body, headers=STALE)).json()
        assert problem["code"] == "precondition_failed"
    assert (await partner.call("GET", path, 200)).json()["name"] == storefront["name"]
    assert (await partner.call("GET", own, 200)).json() == product
    assert len((await partner.call("GET", f"{path}/products", 200)).json()["data"]) == 1


async def test_fresh_writes_pass(partner: Partner) -> None:
    storefront = await partner.storefront()
    product = await partner.product(storefront)
    own = f"/v1/products/{product['id']}"
    tag = (await partner.call("GET", own, 200)).headers["etag"]
    listing = {"sku": product["sku"], "title": "New"}
    path = f"/v1/storefronts/{storefront['id']}/products"
    new = (await partner.call("POST", path, 200, json=listing, headers={"if-match": tag})).headers["etag"]
    await partner.call("DELETE", own, 412, headers={"if-match": tag})
    await partner.call("DELETE", own, 204, headers={"if-match": f'"x", {new}'})
    move = {"items": [{"sku": product["sku"], "available": 9}]}
    tag = (await partner.call("PUT", "/v1/inventory", 200, json=move)).headers["etag"]
    again = {"items": [{"sku": product["sku"], "available": 8}]}
    await partner.call("PUT", "/v1/inventory", 200, json=again, headers={"if-match": tag})
    await partner.call("PUT", "/v1/inventory", 412, json=move, headers={"if-match": tag})


async def test_stock_is_held_to_the_page_that_was_read(partner: Partner) -> None:
    storefront = await partner.storefront()
    product = await partner.product(storefront)
    await partner.product(storefront)
    page = f"/v1/inventory?storefrontId={storefront['id']}&limit=1"
    first = await partner.call("GET", page, 200)
    move = {"items": [{"sku": product["sku"], "adjust": 1}]}
    tag = {"if-match": first.headers["etag"]}
    await partner.call("GET", page, 304, headers={"if-none-match": tag["if-match"]})
    await partner.call("PUT", "/v1/inventory", 200, json=move, headers=tag)
    await partner.call("PUT", "/v1/inventory", 412, json=move, headers=tag)
    await partner.call("PUT", "/v1/inventory", 412, json=move, headers={"if-match": '"0.e30", "1.x", "2"'})
    fresh = (await partner.call("GET", page, 200)).headers["etag"]
    await partner.call("PUT", "/v1/inventory", 200, json=move, headers={"if-match": f"{tag['if-match']}, {fresh}"})


async def test_only_what_is_there_matches_a_star(partner: Partner) -> None:
    storefront = await partner.storefront()
    path = f"/v1/storefronts/{storefront['id']}/products"
    listing = {"sku": "NEW", "title": "New", "price": EUR}
    await partner.call("POST", path, 412, json=listing, headers={"if-match": "*"})
    await partner.call("POST", path, 201, json=listing)
    await partner.call("POST", path, 200, json=listing, headers={"if-match": "*"})


@pytest.mark.parametrize("path", ["/v1/me", "/v1/storefronts"])
async def test_head_is_get_without_its_body(partner: Partner, path: str) -> None:
    get, head = await partner.call("GET", path, 200), await partner.call("HEAD", path, 200)
    assert head.content == b""
    for name in ("etag", "content-length", "content-type"):
        assert head.headers[name] == get.headers[name]


async def test_options_and_wrong_methods_tell_what_is_allowed(partner: Partner) -> None:
    told = await partner.call("OPTIONS", "/v1/storefronts", 204)
    refused = await partner.call("DELETE", "/v1/storefronts", 405)
    assert told.headers["allow"] == refused.headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/postman.json", "/tryon/x", "/assets/x.js", "/a/x"]
)
async def test_what_is_no_route_of_the_table_refuses_methods_alike(open_client: httpx.AsyncClient, path: str) -> None:
    refused = await open_client.post(path)
    assert (refused.status_code, refused.headers["content-type"]) == (405, "application/problem+json")
    assert {"GET", "HEAD"} <= set(refused.headers["allow"].split(", "))
    assert refused.json()["code"] == "method_not_allowed"


async def test_a_file_that_is_not_there_is_a_problem(open_client: httpx.AsyncClient) -> None:
    answer = await open_client.get("/assets/nothing-of-this-name.js")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
