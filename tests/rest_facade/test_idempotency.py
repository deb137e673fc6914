"""A key makes a write act once, whichever surface it comes through."""

from asyncio import gather
from datetime import timedelta

import time_machine

from resolvers.context import utc_now
from tests.factories import Partner, unique

UPSERT = """mutation($input: ProductUpsertInput!) {
  productUpsert(input: $input) { product { id title } created userErrors { code } }
}"""


def listing(sku: str, title: str = "A tee") -> dict[str, object]:
    """A new listing."""
    return {"sku": sku, "title": title, "price": {"amount": "29.00", "currency": "EUR"}}


async def test_the_first_answer_comes_again_and_nothing_happens_twice(partner: Partner) -> None:
    key = {"idempotency-key": unique("key-")}
    body = {"handle": unique("@idem"), "name": "A"}
    first = await partner.call("POST", "/v1/storefronts", 201, json=body, headers=key)
    again = await partner.call("POST", "/v1/storefronts", 201, json=body, headers=key)
    assert (again.content, again.headers["location"]) == (first.content, first.headers["location"])
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"


async def test_another_body_or_route_is_422(partner: Partner) -> None:
    storefront = await partner.storefront()
    path, key = f"/v1/storefronts/{storefront['id']}/products", {"idempotency-key": unique("key-")}
    await partner.call("POST", path, 201, json=listing("A"), headers=key)
    for place, body in ((path, listing("B")), ("/v1/storefronts", {"handle": unique("@x"), "name": "B"})):
        assert (await partner.call("POST", place, 422, json=body, headers=key)).json()[
            "code"
        ] == "idempotency_key_reused"


async def test_a_repeated_mutation_says_so(partner: Partner) -> None:
    made = await partner.storefront()
    headers, given = {"idempotency-key": unique("key-")}, listing(unique("R-")) | {"storefrontId": made["id"]}
    sent = {"query": UPSERT, "variables": {"input": given}}
    first, again = [await partner.call("POST", "/graphql", 200, json=sent, headers=headers) for _ in range(2)]
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    reused = sent | {"variables": {"input": given | {"title": "Other"}}}
    assert (
        "idempotency-replayed"
        not in (await partner.call("POST", "/graphql", 200, json=reused, headers=headers)).headers
    )


async def test_two_mutations_of_one_document_are_two_writes_however_they_are_spelled(partner: Partner) -> None:
    for spread in ("... on Mutation { %s }", "%s"):
        handles = [unique("@two"), unique("@two")]
        both = " ".join(
            f'{name}: storefrontCreate(input: {{handle: "{handle}", name: "A"}}) {{ storefront {{ handle }} }}'
            for name, handle in zip("ab", handles, strict=True)
        )
        sent, headers = {"query": f"mutation {{ {spread % both} }}"}, {"idempotency-key": unique("key-")}
        for _ in range(2):
            answer = (await partner.call("POST", "/graphql", 200, json=sent, headers=headers)).json()
            assert [answer["data"][name]["storefront"]["handle"] for name in "ab"] == handles


async def test_keys_are_each_clients_own(partner: Partner, other: Partner) -> None:
    key = {"idempotency-key": unique("key-")}
    await partner.call("POST", "/v1/storefronts", 201, json={"handle": unique("@x"), "name": "A"}, headers=key)
    await other.call("POST", "/v1/storefronts", 201, json={"handle": unique("@x"), "name": "B"}, headers=key)


async def test_failures_are_not_kept(partner: Partner, other: Partner) -> None:
    key, taken = {"idempotency-key": unique("key-")}, await other.storefront()
    body = {"handle": taken["handle"], "name": "A"}
    await partner.call("POST", "/v1/storefronts", 409, json=body, headers=key)
    await partner.call("POST", "/v1/storefronts", 201, json=body | {"handle": unique("@free")}, headers=key)


async def test_one_key_serves_both_surfaces(partner: Partner) -> None:
    storefront = await partner.storefront()
    key, given = {"idempotency-key": unique("key-")}, listing(unique("S-"))
    path = f"/v1/storefronts/{storefront['id']}/products"
    made = (await partner.call("POST", path, 201, json=given, headers=key)).json()
    same = {"storefrontId": storefront["id"], **given}
    told = (await partner.graphql(UPSERT, headers=key, input=same))["data"]["productUpsert"]
    assert (told["created"], told["product"]["id"]) == (True, made["id"])
    changed = await partner.graphql(UPSERT, headers=key, input=same | {"title": "B"})
    assert changed["data"]["productUpsert"]["userErrors"] == [{"code": "IDEMPOTENCY_KEY_REUSED"}]
    key = {"idempotency-key": unique("key-")}
    first = (await partner.graphql(UPSERT, headers=key, input=same | {"title": "C"}))["data"]["productUpsert"]
    again = await partner.call("POST", path, 200, json=given | {"title": "C"}, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["title"] == first["product"]["title"]


async def test_a_key_is_forgotten_after_a_day(partner: Partner) -> None:
    key, body = {"idempotency-key": unique("key-")}, {"handle": unique("@day"), "name": "A"}
    await partner.call("POST", "/v1/storefronts", 201, json=body, headers=key)
    headers = key | {"x-api-key": partner.api_key, "authorization": ""}
    del headers["authorization"]
    partner.http.headers.pop("authorization")
    with time_machine.travel(utc_now() + timedelta(hours=23, minutes=59), tick=True):
        await partner.call("POST", "/v1/storefronts", 201, json=body, headers=headers)
    with time_machine.travel(utc_now() + timedelta(hours=24, minutes=1), tick=True):
        await partner.call("POST", "/v1/storefronts", 409, json=body, headers=headers)  # it acts: the handle is taken


async def test_many_at_once_act_once(partner: Partner) -> None:
    storefront = await partner.storefront()
    path = f"/v1/storefronts/{storefront['id']}/products"
    for place in range(5):
        key = {"idempotency-key": unique("key-")}
        calls = (partner.call("POST", path, json=listing(f"R-{place}"), headers=key) for _ in range(8))
        answers = await gather(*calls)
        assert {answer.status_code for answer in answers} <= {201, 409}
        done = [answer for answer in answers if answer.status_code == 201]
        assert len({answer.content for answer in done}) == 1
        assert sum("idempotency-replayed" not in answer.headers for answer in done) == 1
        codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
        assert codes <= {"idempotency_in_progress"}
    assert len((await partner.call("GET", path, 200)).json()["data"]) == 5
