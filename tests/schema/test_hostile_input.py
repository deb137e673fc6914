"""GraphQL told nonsense answers BAD_INPUT or user errors; never INTERNAL, never half a write."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from tests.factories import Partner

NINES = "9" * 5000
SOME = "prd_01JD3T8Q5YB9N7K0V2M4XWZC6R"


def mark(text: str) -> str:
    """A cursor that says this."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


QUERIES: list[tuple[str, dict[str, Any]]] = [
    ("query($s:String){products(filter:{sku:$s}){totalCount nodes{id}}}", {"s": "\0"}),
    ('{products(filter:{sku:"\\u0000"}){totalCount}}', {}),
    ('{products(filter:{sku:"\\uD800"}){nodes{id}}}', {}),
    (f"{{products(first:{NINES}){{nodes{{id}}}}}}", {}),
    ("query($n:Int){products(first:$n){nodes{id}}}", {"n": 10**18}),
    ("query($n:Int){products(first:$n){nodes{id}}}", {"n": 1.5}),
    ("query($n:Int){products(first:$n){nodes{id}}}", {"n": True}),
    ("{products(first:0){nodes{id}}}", {}),
    ("{products(first:-1){nodes{id}}}", {}),
    ("{products(first:101){nodes{id}}}", {}),
    ("{products(first:1,last:1){nodes{id}}}", {}),
    ('{products(after:"zzz"){nodes{id}}}', {}),
    ('{products(after:""){nodes{id}}}', {}),
    *(
        (f"query($a:String){{products(sort:{sort},after:$a){{nodes{{id}}}}}}", {"a": mark(f"{sort} {SOME} {key}")})
        for sort, key in [
            ("PRICE_ASC", "1e999999"), ("PRICE_ASC", "NaN"), ("PRICE_ASC", "1e-99999"), ("TITLE_ASC", "a\0"),
            ("UPDATED_AT_ASC", "yesterday"), ("UPDATED_AT_ASC", "0001-01-01"),
        ]
    ),
    ('{products(filter:{updatedSince:"0001-01-01T00:00:00+14:00"}){nodes{id}}}', {}),
    ("{products(filter:{updatedSince:{a:1}}){nodes{id}}}", {}),
    ("query($i:[ID!]!){nodes(ids:$i){id}}", {"i": ["x"] * 101}),
    ("{storefront{id}}", {}),
    ('{storefront(id:"a",handle:"b"){id}}', {}),
    ("{" + "a{" * 3000 + "}" * 3000 + "}", {}),
    ("{me{id}} " + "#" * 200_000, {}),
    ('{me @skip(if:"x"){id}}', {}),
    ("subscription{x}", {}),
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(QUERIES)))
async def test_a_wrong_query_is_bad_input(partner: Partner, place: int) -> None:
    query, variables = QUERIES[place]
    answer = await partner.graphql(query, **variables)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_INPUT"] * len(answer["errors"])
    assert all(len(error["message"]) < 2000 for error in answer["errors"])


async def test_what_nothing_is_called_is_found_by_nothing(partner: Partner) -> None:
    storefront = await partner.storefront()
    query = "query($a:String,$b:String,$i:ID!){good:storefront(handle:$a){id} bad:storefront(handle:$b){id} product(id:$i){id}}"
    data = await partner.data(query, a=storefront["handle"], b="\0", i="\0")
    assert data == {"good": {"id": storefront["id"]}, "bad": None, "product": None}


UPSERT = """mutation($input: ProductUpsertInput!) {
  productUpsert(input: $input) { product { id } created userErrors { field message code } }
}"""
LISTINGS: dict[str, tuple[dict[str, Any], list[str] | None]] = {
    "no storefront": ({"storefrontId": "\0"}, None),
    "another's or nobody's": ({"storefrontId": "sf_01JD3T8Q5YB9N7K0V2M4XWZC6R"}, None),
    "NUL": ({"title": "a\0"}, ["title"]),
    "no currency": ({"price": {"amount": "1", "currency": "\0"}}, ["price", "currency"]),
    "below zero": ({"price": {"amount": "-1", "currency": "EUR"}}, ["price", "amount"]),
    "a list as metadata": ({"metadata": [1]}, ["metadata"]),
    "a number as metadata": ({"metadata": 3}, ["metadata"]),
    "deep metadata": ({"metadata": json.loads('{"a":' * 20 + "1" + "}" * 20)}, ["metadata"]),
    "negative stock": ({"variants": [{"sku": "a", "inventory": -1}]}, ["variants", "0", "inventory"]),
    "no sku": ({"sku": None}, ["sku"]),
}


@pytest.mark.parametrize("case", LISTINGS)
async def test_a_wrong_listing_is_a_user_error(partner: Partner, case: str) -> None:
    wrong, path = LISTINGS[case]
    storefront = await partner.storefront()
    good = {
        "storefrontId": storefront["id"], "sku": "a", "title": "b", "price": {"amount": "1", "currency": "EUR"},
    }  # fmt: skip
    told = (await partner.data(UPSERT, input=good | wrong))["productUpsert"]
    assert told["product"] is None
    assert [error["field"] for error in told["userErrors"]] == [path]
    count = await partner.data("query($i:ID!){storefront(id:$i){productsCount}}", i=storefront["id"])
    assert count["storefront"]["productsCount"] == 0


LITERALS = ["9" * 30, NINES, "1e999", "[" * 300 + "]" * 300, "{a:" * 20 + "1" + "}" * 20]


@pytest.mark.parametrize("place", range(len(LITERALS)))
async def test_json_written_into_a_document_is_held_to_the_same(partner: Partner, place: int) -> None:
    storefront = await partner.storefront()
    query = "mutation{storefrontUpdate(input:{id:%s,metadata:{a:%s}}){storefront{id} userErrors{field message}}}"
    answer = await partner.graphql(query % (json.dumps(storefront["id"]), LITERALS[place]))
    if "errors" in answer:
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_INPUT"}
    else:
        assert [error["field"] for error in answer["data"]["storefrontUpdate"]["userErrors"]] == [["metadata"]]
    kept = (await partner.call("GET", f"/v1/storefronts/{storefront['id']}", 200)).json()
    assert kept["metadata"] == {}


async def test_null_is_the_same_as_left_out(partner: Partner) -> None:
    storefront = await partner.storefront()
    product = await partner.product(storefront, description="As it was.", category="Coats")
    nothing = dict.fromkeys(["id", "title", "description", "price", "status", "variants", "media", "metadata"])
    given = {"storefrontId": storefront["id"], "sku": product["sku"], **nothing}
    assert (await partner.data(UPSERT, input=given))["productUpsert"]["userErrors"] == []
    assert (await partner.call("GET", f"/v1/products/{product['id']}", 200)).json() == product
    await partner.data(UPSERT, input=given | {"category": None})  # where null means something, it does
    assert (await partner.call("GET", f"/v1/products/{product['id']}", 200)).json()["category"] is None


BODIES = [
    (b"[]", 400), (b'{"query": 1}', 400), (b'{"query": "{me{id}}", "variables": []}', 400), (b"{", 400),
    (b'{"query": "{me{id}}", "query": "{me{handle}}"}', 400),
    (b'{"query": "{me{id}}", "variables": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}", 400),
    (b'{"query": "{me{id}}", "operationName": 5}', 400), (b'{"query": "{me{id}}", "extensions": 5}', 400),
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(BODIES)))
async def test_a_body_that_is_no_request_is_400(partner: Partner, place: int) -> None:
    body, status = BODIES[place]
    answer = await partner.call("POST", "/graphql", status, content=body, headers={"content-type": "application/json"})
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"
