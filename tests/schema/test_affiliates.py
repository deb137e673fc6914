"""Affiliates over GraphQL: the same acts and the same values as over REST."""

import time_machine

from tests.factories import Partner, make_partner, unique
from tests.rest_facade.test_affiliates import TEN_PAST_NOON, clicked, make_link, read_link
from tests.rest_facade.test_orders import Json, price, shop

LINK = """{
  id code url destinationUrl product { id storefront { id } } affiliate { id } clicks conversions conversionRate
  revenue { amount currency } commission { amount currency } commissionRate metadata createdAt
}"""
CREATE = """mutation($input: AffiliateLinkCreateInput!) {
  affiliateLinkCreate(input: $input) { affiliateLink %s userErrors { field code } } }"""
CONVERSION = """{
  id link { id conversions } clickId orderRef amount { amount currency } commission { amount currency } occurredAt createdAt
}"""
RECORD = """mutation($input: AffiliateConversionRecordInput!) {
  affiliateConversionRecord(input: $input) { conversion %s created userErrors { field code } } }"""


def as_rest(link: Json) -> Json:
    """A GraphQL link as REST tells it."""
    product = link["product"]
    return {
        "id": link["id"], "code": link["code"], "url": link["url"], "destination_url": link["destinationUrl"],
        "product_id": product and product["id"], "storefront_id": product and product["storefront"]["id"],
        "clicks": link["clicks"], "conversions": link["conversions"], "conversion_rate": link["conversionRate"],
        "revenue": link["revenue"], "commission": link["commission"], "commission_rate": link["commissionRate"],
        "metadata": link["metadata"], "created_at": link["createdAt"],
    }  # fmt: skip


async def test_both_surfaces_tell_the_same_link(partner: Partner, other: Partner, open_client):
    _, product = await shop(partner, 5)
    given = {"productId": product["id"], "commissionRate": "0.15", "metadata": {"a": [1]}}
    made = (await other.data(CREATE % LINK, input=given))["affiliateLinkCreate"]
    assert made["userErrors"] == []
    link = made["affiliateLink"]
    assert as_rest(link) == await read_link(other, link)
    await clicked(open_client, link)
    click = await clicked(open_client, link)
    sale = {"clickId": click, "orderRef": unique("G"), "amount": price("30.10")}
    first = (await other.data(RECORD % CONVERSION, input=sale))["affiliateConversionRecord"]
    assert (first["created"], first["userErrors"], first["conversion"]["commission"]) == (True, [], price("4.52"))
    again = (await partner.data(RECORD % CONVERSION, input=sale))["affiliateConversionRecord"]
    assert (again["created"], again["conversion"]) == (False, first["conversion"])
    query = f"query($id: ID!) {{ node(id: $id) {{ ... on AffiliateLink {LINK} }} affiliateLinks {{ nodes {LINK} }} }}"
    read = await other.data(query, id=link["id"])
    rest = await read_link(other, link)
    assert [as_rest(item) for item in (read["node"], *read["affiliateLinks"]["nodes"])] == [rest] * 2
    assert (rest["clicks"], rest["conversions"], rest["conversion_rate"]) == (2, 1, "0.5000")


async def test_a_conversion_is_a_node_for_those_whom_it_concerns(partner: Partner, other: Partner, parts, open_client):
    _, product = await shop(partner, 5)
    link = await make_link(other, product_id=product["id"])
    body = {"link_id": link["id"], "order_ref": "N", "amount": price("5.00")}
    made = (await other.call("POST", "/v1/affiliates/conversions", 201, json=body)).json()
    query = f"query($id: ID!) {{ node(id: $id) {{ ... on AffiliateConversion {CONVERSION} }} }}"
    found = [(await viewer.data(query, id=made["id"]))["node"] for viewer in (other, partner)]
    assert found[0] == found[1]
    assert (found[0]["id"], found[0]["orderRef"], found[0]["amount"]) == (made["id"], "N", price("5.00"))
    stranger = await make_partner(parts, open_client)
    assert await stranger.data(query, id=made["id"]) == {"node": None}


async def test_refusals_are_user_errors(partner: Partner):
    link = await make_link(partner)
    taken = {"destinationUrl": "https://example.com", "code": link["code"]}
    made = (await partner.data(CREATE % LINK, input=taken))["affiliateLinkCreate"]
    assert made == {"affiliateLink": None, "userErrors": [{"field": ["code"], "code": "CODE_TAKEN"}]}
    sale = {"linkId": "aff_01JD3T8Q5YB9N7K0V2M4XWZC6R", "orderRef": "x", "amount": price("1.00")}
    made = (await partner.data(RECORD % CONVERSION, input=sale))["affiliateConversionRecord"]
    assert made == {"conversion": None, "created": None, "userErrors": [{"field": None, "code": "NOT_FOUND"}]}


async def test_the_report_is_rests(partner: Partner, open_client):
    link = await make_link(partner)
    with time_machine.travel(TEN_PAST_NOON, tick=False):
        await clicked(open_client, link)
    query = """{ affiliateReport(from: "2026-11-20T00:00:00Z", to: "2026-11-21T00:00:00Z", groupBy: LINK) { from to groupBy
      rows { day linkId code productId storefrontId clicks conversions conversionRate revenue { amount currency }
             commission { amount currency } } } }"""
    found = (await partner.data(query))["affiliateReport"]
    rest = (await partner.call("GET", "/v1/affiliates/report?from=2026-11-20&to=2026-11-20&group_by=link", 200)).json()
    assert (found["from"], found["to"], found["groupBy"].lower()) == (rest["from"], rest["to"], rest["group_by"])
    row = found["rows"][0]
    renamed = {
        "link_id": "linkId",
        "product_id": "productId",
        "storefront_id": "storefrontId",
        "conversion_rate": "conversionRate",
    }
    assert {name: row[renamed.get(name, name)] for name in rest["data"][0]} == rest["data"][0]
    assert (len(found["rows"]), row["clicks"], row["revenue"]["amount"]) == (1, 1, "0.00")
    days = (await partner.data("{ affiliateReport { rows { day clicks } } }"))["affiliateReport"]
    assert all(isinstance(row["day"], str) for row in days["rows"])
