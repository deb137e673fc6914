"""REST and GraphQL give the same values for the same thing, and see each other's writes."""

from typing import Any

import pytest

from tests.factories import Partner, unique

MONEY = "{ amount currency }"
# Noun -> (REST's route, GraphQL's fields). GraphQL's names are REST's in camel case; what differs is said below.
NOUNS = {
    "Storefront": (
        "/v1/storefronts/{}",
        (
            "id handle name description status productsCount owner { id handle } settings { currency locale visibility } "
            "metadata createdAt updatedAt"
        ),
    ),
    "Product": (
        "/v1/products/{}",
        (
            f"id storefront {{ id }} sku title description price {MONEY} category status visibility metadata "
            "media { url alt } variants(first: 100) { nodes { id sku options { name value } "
            f"price {MONEY} inStock inventory {{ available }} }} }} totalInventory createdAt updatedAt"
        ),
    ),
    "Order": (
        "/v1/orders/{}",
        (
            f"id storefront {{ id }} status lines {{ nodes {{ variant {{ id }} sku title quantity price {MONEY} }} }} "
            f"total {MONEY} clickId externalRef createdAt updatedAt fulfilledAt"
        ),
    ),
    "AffiliateLink": (
        "/v1/affiliates/links/{}",
        (
            f"id code url destinationUrl product {{ id storefront {{ id }} }} clicks conversions conversionRate "
            f"revenue {MONEY} commission {MONEY} commissionRate metadata createdAt"
        ),
    ),
}


def snake(name: str) -> str:
    """REST's spelling of a name."""
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


def as_rest(value: Any) -> Any:
    """A GraphQL value in REST's spelling: snake case, enums in lower case, connections as lists, options as an object."""
    if isinstance(value, list):
        return [as_rest(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"nodes"}:
        return as_rest(value["nodes"])
    told = {snake(name): item if name == "metadata" else as_rest(item) for name, item in value.items()}
    for name in ("status", "visibility"):
        if isinstance(told.get(name), str):
            told[name] = told[name].lower()
    if isinstance(told.get("options"), list):
        told["options"] = {option["name"]: option["value"] for option in told["options"]}
    if "inventory" in told:
        stock = told.pop("inventory")
        told["available"] = stock and stock["available"]
    for name in ("product", "storefront", "variant"):
        if name in told:
            joined = told.pop(name)
            told[f"{name}_id"] = joined and joined["id"]
            told |= {"storefront_id": joined["storefront_id"]} if joined and "storefront_id" in joined else {}
    return told


async def grown(partner: Partner) -> dict[str, str]:
    """One of each noun, with something in every field."""
    more = {"description": 'Ünder\n"quotes"', "metadata": {"b": 1, "a": [None, 1.5, "ü\u2028"]}}
    storefront = await partner.storefront(**more, settings={"currency": "JPY", "locale": "ja-JP"})
    media = [{"url": "https://x.example/a.jpg", "alt": "a\tb"}]
    variants: list[dict[str, Any]] = [
        {"sku": unique("V-"), "options": {"size": "M", "colour": 'b"lue'}, "inventory": 7},
        {"sku": unique("V-"), "price": {"amount": "1900", "currency": "JPY"}},
    ]
    product = await partner.product(
        storefront,
        **more,
        media=media,
        variants=variants,
        category="Coats",
        price={"amount": "2900", "currency": "JPY"},
    )
    lines = [{"sku": variants[0]["sku"], "quantity": 2}]
    order = {"storefront_id": storefront["id"], "lines": lines, "external_ref": "1001"}
    made = (await partner.call("POST", "/v1/orders", 201, json=order)).json()
    link = (await partner.call("POST", "/v1/affiliates/links", 201, json={"product_id": product["id"]})).json()
    return {"Storefront": storefront["id"], "Product": product["id"], "Order": made["id"], "AffiliateLink": link["id"]}


@pytest.mark.parametrize("noun", NOUNS)
async def test_every_field_is_the_same(partner: Partner, noun: str) -> None:
    ids = await grown(partner)
    route, fields = NOUNS[noun]
    rest = (await partner.call("GET", route.format(ids[noun]), 200)).json()
    data = await partner.data(f"query($id: ID!) {{ node(id: $id) {{ ... on {noun} {{ {fields} }} }} }}", id=ids[noun])
    assert as_rest(data["node"]) == rest


async def test_strangers_are_told_the_same(partner: Partner, other: Partner) -> None:
    ids = await grown(partner)
    for noun in ("Storefront", "Product"):
        route, fields = NOUNS[noun]
        rest = (await other.call("GET", route.format(ids[noun]), 200)).json()
        data = await other.data(f"query($id: ID!) {{ node(id: $id) {{ ... on {noun} {{ {fields} }} }} }}", id=ids[noun])
        assert as_rest(data["node"]) == rest
    for noun in ("Order", "AffiliateLink"):
        await other.call("GET", NOUNS[noun][0].format(ids[noun]), 404)
        assert await other.data("query($id: ID!) { node(id: $id) { id } }", id=ids[noun]) == {"node": None}


async def test_a_write_through_one_is_seen_by_the_other(partner: Partner) -> None:
    ids = await grown(partner)
    query = (
        """mutation($id: ID!) { storefrontUpdate(input: {id: $id, name: "By GraphQL"}) { userErrors { message } } }"""
    )
    await partner.data(query, id=ids["Storefront"])
    path = f"/v1/storefronts/{ids['Storefront']}"
    assert (await partner.call("GET", path, 200)).json()["name"] == "By GraphQL"
    await partner.call("PATCH", path, 200, json={"name": "By REST"})
    data = await partner.data("query($id: ID!) { storefront(id: $id) { name } }", id=ids["Storefront"])
    assert data == {"storefront": {"name": "By REST"}}
