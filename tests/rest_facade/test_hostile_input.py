"""Input of any kind gets a 4xx that names the fault; never 500, never half a write."""

import json
from typing import Any

import pytest

from tests.factories import Partner

JSON = {"content-type": "application/json"}
EUR = {"amount": "29.00", "currency": "EUR"}
ELSEWHERE = "01JD3T8Q5YB9N7K0V2M4XWZC6R"

# What is wrong with a listing -> the pointers that must be named.
LISTINGS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "nothing of it": ({"sku": None, "title": None, "price": None}, {"/sku", "/title", "/price"}),
    "three at once": ({"title": "", "price": EUR | {"amount": "x"}, "foo": 1}, {"/title", "/price/amount", "/foo"}),
    "a negative price": ({"price": EUR | {"amount": "-1"}}, {"/price/amount"}),
    "a number as price": ({"price": EUR | {"amount": 29}}, {"/price/amount"}),
    "a float as price": ({"price": EUR | {"amount": 29.5}}, {"/price/amount"}),
    "other digits": ({"price": EUR | {"amount": "٣"}}, {"/price/amount"}),
    "an exponent": ({"price": EUR | {"amount": "1e2"}}, {"/price/amount"}),
    "an endless exponent": ({"price": EUR | {"amount": "1e999999999999"}}, {"/price/amount"}),
    "no number": ({"price": EUR | {"amount": "sNaN"}}, {"/price/amount"}),
    "a tenth of a cent": ({"price": EUR | {"amount": "0.001"}}, {"/price/amount"}),
    "no currency of ISO 4217": ({"price": EUR | {"currency": "EURO"}}, {"/price/currency"}),
    "NUL in a title": ({"title": "a\0b"}, {"/title"}),
    "NUL in a description": ({"description": "\0"}, {"/description"}),
    "NUL in an alternative text": (
        {"media": [{"url": "https://x.example", "alt": "\0"}]},
        {"/media/0/alt"},
    ),
    "NUL in an option's name": ({"variants": [{"sku": "a", "options": {"a\0": "b"}}]}, {"/variants/0/options/a\0"}),
    "NUL deep in metadata": ({"metadata": {"a": [{"b": "\0"}]}}, {"/metadata"}),
    "NUL in a name in metadata": ({"metadata": {"\0": 1}}, {"/metadata"}),
    "metadata nine levels deep": ({"metadata": json.loads('{"a":' * 9 + "1" + "}" * 9)}, {"/metadata"}),
    "much metadata": ({"metadata": {"a": "x" * 17_000}}, {"/metadata"}),
    "no address": ({"media": [{"url": "https://"}]}, {"/media/0/url"}),
    "a script as address": ({"media": [{"url": "javascript:alert(1)"}]}, {"/media/0/url"}),
    "10,000 variants": ({"variants": [{"sku": str(n)} for n in range(10_000)]}, {"/variants"}),
    "the same SKU twice": ({"variants": [{"sku": "a"}, {"sku": "a"}]}, {"/variants/1/sku"}),
    "a huge stock": ({"variants": [{"sku": "a", "inventory": 10**18}]}, {"/variants/0/inventory"}),
    "a negative stock": ({"variants": [{"sku": "a", "inventory": -1}]}, {"/variants/0/inventory"}),
    "half a piece": ({"variants": [{"sku": "a", "inventory": 0.5}]}, {"/variants/0/inventory"}),
    "true as a number": ({"variants": [{"sku": "a", "inventory": True}]}, {"/variants/0/inventory"}),
    "null where none may be": ({"description": None, "status": None}, {"/description", "/status"}),
    "an unknown status": ({"status": "sold"}, {"/status"}),
    "another kind of id": ({"id": f"sf_{ELSEWHERE}"}, {"/id"}),
    "lists for text": ({"title": [], "sku": {}}, {"/title", "/sku"}),
}


@pytest.mark.parametrize("case", LISTINGS)
async def test_a_wrong_listing_names_every_fault_and_writes_nothing(partner: Partner, case: str) -> None:
    wrong, pointers = LISTINGS[case]
    storefront = await partner.storefront()
    path = f"/v1/storefronts/{storefront['id']}/products"
    body = {"sku": "JKT", "title": "A jacket", "price": EUR} | wrong
    answer = await partner.call("POST", path, 422, json={k: v for k, v in body.items() if k in wrong or v is not None})
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert {fault["pointer"] for fault in problem["errors"]} == pointers
    assert all(fault["message"] and "Input" not in fault["message"] for fault in problem["errors"])
    assert (await partner.call("GET", path, 200)).json()["data"] == []


BODIES: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 400),
    "half of it": (b'{"name": "a"', 400),
    "no UTF-8": (b'{"name": "\xff\xfe"}', 400),
    "UTF-16": ('{"name": "a"}'.encode("utf-16"), 400),
    "a lone surrogate": (b'{"name": "\\ud800"}', 400),
    "a name twice": (b'{"name": "a", "name": "b"}', 400),
    "a name twice, deep": (b'{"metadata": {"a": [{"b": 1, "b": 2}]}}', 400),
    "objects to no end": (b'{"a":' * 900 + b"1" + b"}" * 900, 400),
    "lists to no end": (b'{"metadata": {"a": ' + b"[" * 990 + b"]" * 990 + b"}}", 400),
    "brackets alone": (b"[" * 500_000, 400),
    "a number beyond doubles": (b'{"metadata": {"a": 1e999}}', 400),
    "5,000 digits": (b'{"metadata": {"a": ' + b"9" * 5000 + b"}}", 400),
    "not a number": (b'{"metadata": {"a": NaN}}', 400),
    "a list": (b"[]", 422),
    "text": (b'"x"', 422),
    "null": (b"null", 422),
    "one byte too many": (b'{"name": "' + b"x" * 1_048_565 + b'"}', 413),
    "as much as may be": (b'{"name": "' + b"x" * 1_048_564 + b'"}', 422),
}


@pytest.mark.parametrize("case", BODIES)
async def test_a_wrong_body_is_refused_and_nothing_changes(partner: Partner, case: str) -> None:
    body, status = BODIES[case]
    path = f"/v1/storefronts/{(await partner.storefront())['id']}"
    before = (await partner.call("GET", path, 200)).content
    problem = (await partner.call("PATCH", path, status, content=body, headers=JSON)).json()
    assert problem["status"] == status
    assert problem["detail"]
    assert (await partner.call("GET", path, 200)).content == before


@pytest.mark.parametrize("media", ["text/plain", "multipart/form-data", "", "application/json, text/plain", "a" * 5000])
async def test_another_media_type_is_415(partner: Partner, media: str) -> None:
    await partner.call("POST", "/v1/storefronts", 415, content=b"{}", headers={"content-type": media})


async def test_a_compressed_body_is_415(partner: Partner) -> None:
    await partner.call("POST", "/v1/storefronts", 415, content=b"{}", headers={**JSON, "content-encoding": "gzip"})


@pytest.mark.parametrize("accept", ["text/html", "*", ";;;", "application/xml;q=0.1", "\xff".encode("latin-1")])
async def test_any_accept_is_answered_with_json(partner: Partner, accept: Any) -> None:
    answer = await partner.call("GET", "/v1/me", 200, headers={"accept": accept})
    assert answer.headers["content-type"] == "application/json"


HOSTILE = [
    "%00",
    "sf_%00",
    "%ff%fe",
    "%ed%a0%80",
    "..%2f..",
    "'%20or%201=1--",
    "x" * 4000,
    f"sf_{ELSEWHERE}",
    "%F0%9F%91%97",
]
PLACES = [
    ("GET", "/v1/storefronts/{}", None), ("PATCH", "/v1/storefronts/{}", {"name": "x"}),
    ("GET", "/v1/storefronts/{}/products", None),
    ("POST", "/v1/storefronts/{}/products", {"sku": "a", "title": "b", "price": EUR}),
    ("GET", "/v1/products/{}", None), ("DELETE", "/v1/products/{}", None),
    ("GET", "/v1/orders/{}", None), ("POST", "/v1/orders/{}/fulfill", None),
    ("GET", "/v1/affiliates/links/{}", None), ("GET", "/v1/tryon/sessions/{}", None),
    ("GET", "/v1/assets/{}", None), ("GET", "/v1/assets/{}/download", None), ("POST", "/v1/assets/{}/publish", None),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), PLACES)
async def test_an_id_that_is_none_is_404(partner: Partner, method: str, path: str, body: Any) -> None:
    for id_ in HOSTILE:
        answer = await partner.call(method, path.format(id_), **({} if body is None else {"json": body}))
        assert answer.status_code == 404, (id_, answer.text)
        assert answer.json()["code"] == "not_found"


QUERIES = {
    "/v1/storefronts": [
        "limit=0", "limit=101", "limit=x", "limit=1.5", "limit=", f"limit={'9' * 5000}", "limit=1&limit=2", "cursor=",
        "cursor=%ff", "cursor=AAAA", "cursor=%00", f"cursor={'A' * 3000}", "handle=%00", f"handle={'x' * 400}",
        "status=archived", "owner=you", "owner=usr_%00", "unknown=1", "&".join(f"a{n}=1" for n in range(200)),
        "page=2", "%00=1",
    ],
    "/v1/inventory": ["", "storefrontId=", "storefrontId=x", "storefrontId=sf_%00", f"storefront_id=sf_{ELSEWHERE}"],
}  # fmt: skip


@pytest.mark.parametrize(("path", "query"), [(path, query) for path, queries in QUERIES.items() for query in queries])
async def test_a_wrong_query_is_422_and_names_its_parameter(partner: Partner, path: str, query: str) -> None:
    problem = (await partner.call("GET", f"{path}?{query}", 422)).json()
    assert problem["errors"]
    assert all(fault["message"] for fault in problem["errors"])


async def test_times_of_products_are_times(partner: Partner) -> None:
    path = f"/v1/storefronts/{(await partner.storefront())['id']}/products"
    for wrong in ("2026-11-23", "20261123T093000Z", "2026-11-23T09:30:00", "0001-01-01T00:00:00%2B14:00", "x", "%00"):
        problem = (await partner.call("GET", f"{path}?updated_since={wrong}", 422)).json()
        assert [fault["pointer"] for fault in problem["errors"]] == ["/updated_since"], wrong
    assert (await partner.call("GET", f"{path}?updated_since=2026-11-23T09:30:00%2B01:00", 200)).json()["data"] == []


MOVES: dict[str, tuple[list[dict[str, Any]], set[str]]] = {
    "none": ([], {"/items"}),
    "too many": ([{"sku": str(n), "available": 1} for n in range(251)], {"/items"}),
    "no names": ([{"available": 1}, {"adjust": 1}], {"/items/0", "/items/1"}),
    "two names": ([{"sku": "a", "variant_id": f"var_{ELSEWHERE}", "available": 1}], {"/items/0"}),
    "no move": ([{"sku": "a"}], {"/items/0"}),
    "nobody's": (
        [{"sku": "a", "available": 1}, {"variant_id": f"var_{ELSEWHERE}", "adjust": 1}],
        {"/items/0/sku", "/items/1/variant_id"},
    ),
    "huge": ([{"sku": "a", "adjust": 10**15}], {"/items/0/adjust"}),
}


@pytest.mark.parametrize("case", MOVES)
async def test_a_wrong_move_names_every_fault(partner: Partner, case: str) -> None:
    items, pointers = MOVES[case]
    problem = (await partner.call("PUT", "/v1/inventory", 422, json={"items": items})).json()
    assert {fault["pointer"] for fault in problem["errors"]} == pointers
