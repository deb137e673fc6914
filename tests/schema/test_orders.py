"""Orders over GraphQL: the same acts and the same values as over REST."""

from tests.factories import Partner
from tests.rest_facade.test_orders import Json, lines, place, shop, stock_of

ORDER = """{
  id status total { amount currency } clickId externalRef createdAt updatedAt fulfilledAt storefront { id }
  lines { totalCount nodes { sku title quantity price { amount currency } variant { id product { id } } } }
}"""
CREATE = "mutation($input: OrderCreateInput!) { orderCreate(input: $input) { order %s userErrors { field code } } }"
FULFILL = "mutation($id: ID!) { orderFulfill(input: {id: $id}) { order %s userErrors { field code } } }"


def as_rest(order: Json) -> Json:
    """A GraphQL order as REST tells it."""
    return {
        "id": order["id"],
        "storefront_id": order["storefront"]["id"],
        "status": order["status"].lower(),
        "lines": [
            {"variant_id": line["variant"]["id"], **{k: line[k] for k in ("sku", "title", "quantity", "price")}}
            for line in order["lines"]["nodes"]
        ],
        "total": order["total"],
        "click_id": order["clickId"],
        "external_ref": order["externalRef"],
        "created_at": order["createdAt"],
        "updated_at": order["updatedAt"],
        "fulfilled_at": order["fulfilledAt"],
    }


async def test_both_surfaces_place_fulfil_and_tell_the_same(partner: Partner):
    storefront, product = await shop(partner, 5, 5)
    asked = [
        {"sku": product["variants"][1]["sku"], "quantity": 2},
        {"variantId": product["variants"][0]["id"], "quantity": 1},
    ]
    given = {"storefrontId": storefront["id"], "lines": asked, "externalRef": "G-1"}
    made = (await partner.data(CREATE % ORDER, input=given))["orderCreate"]
    assert made["userErrors"] == []
    path = f"/v1/orders/{made['order']['id']}"
    assert as_rest(made["order"]) == (await partner.call("GET", path, 200)).json()
    done = (await partner.data(FULFILL % ORDER, id=made["order"]["id"]))["orderFulfill"]["order"]
    assert done["status"] == "FULFILLED"
    rest = (await partner.call("GET", path, 200)).json()
    query = f"query($id: ID!) {{ order(id: $id) {ORDER} node(id: $id) {{ ... on Order {ORDER} }} }}"
    read = await partner.data(query, id=done["id"])
    assert [as_rest(order) for order in (done, read["order"], read["node"])] == [rest] * 3
    assert await stock_of(partner, storefront) == [(4, 0), (3, 0)]


async def test_lines_page_in_the_order_sent(partner: Partner):
    storefront, product = await shop(partner, *[5] * 5)
    order = (await place(partner, storefront, lines(product, 1, 2, 3, 4, 5)[::-1])).json()
    query = """query($id: ID!, $after: String) { order(id: $id) {
      lines(first: 2, after: $after) { nodes { quantity } pageInfo { endCursor hasNextPage } totalCount } } }"""
    seen, after = [], None
    while True:
        page = (await partner.data(query, id=order["id"], after=after))["order"]["lines"]
        seen += [line["quantity"] for line in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == [5, 4, 3, 2, 1]
    assert page["totalCount"] == 5
    bad = await partner.graphql(query, id=order["id"], after="Q1JFQVRFRF9BVF9BU0MgeCA5OTk5OTk5OTk5OTk5")
    assert bad["errors"][0]["extensions"]["code"] == "BAD_INPUT"


async def test_a_refusal_is_a_user_error_at_its_field(partner: Partner):
    storefront, product = await shop(partner, 1)
    asked = [{"variantId": product["variants"][0]["id"], "quantity": 2}]
    made = (await partner.data(CREATE % ORDER, input={"storefrontId": storefront["id"], "lines": asked}))["orderCreate"]
    assert made == {"order": None, "userErrors": [{"field": ["lines", "0", "quantity"], "code": "INSUFFICIENT_STOCK"}]}


async def test_others_see_nothing(partner: Partner, other: Partner):
    storefront, product = await shop(partner, 1)
    order = (await place(partner, storefront, lines(product, 1))).json()
    query = "query($id: ID!) { order(id: $id) { id } node(id: $id) { id } orders { totalCount } }"
    assert await other.data(query, id=order["id"]) == {"order": None, "node": None, "orders": {"totalCount": 0}}


async def test_a_list_of_orders_costs_the_same_whatever_its_length(partner: Partner, monkeypatch):
    storefront, product = await shop(partner, 50, 50)
    query = f"""query {{ orders(first: 100, sort: CREATED_AT_DESC, filter: {{storefrontId: "{storefront["id"]}", status: CREATED}})
      {{ totalCount nodes {ORDER} }} }}"""

    sent: list[int] = []
    monkeypatch.setattr("db.sessions.count_statement", lambda: sent.append(1))

    async def read_after(count: int) -> tuple[int, int]:
        for _ in range(count):
            await place(partner, storefront, lines(product, 1, 1))
        sent.clear()
        orders = (await partner.data(query))["orders"]
        assert orders["totalCount"] == len(orders["nodes"])
        return orders["totalCount"], len(sent)

    (few, before), (many, after) = await read_after(2), await read_after(5)
    assert (few, many) == (2, 7)
    assert 0 < before == after
