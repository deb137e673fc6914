"""REST and GraphQL give the same values for the same thing, and see each other's writes."""

from typing import Any

import pytest

from schema.build import build_schema
from schema.queries import NODES
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
    "Webhook": (
        "/v1/webhooks/{}",
        (
            "id url events description status statusReason storefrontIds ordered concurrency rateLimit publicKeys "
            "createdAt updatedAt"
        ),
    ),
    "Asset": (
        "/v1/assets/{}",
        (
            "id title status reviewReason contentType size sha256 region owner { id } "
            "rights { license territories embargoUntil expiresAt aiTraining } collectionId createdAt updatedAt publishedAt"
        ),
    ),
    "TryonSession": (
        "/v1/tryon/sessions/{}",
        "id status product { id } variant { id } useCase origin subject createdAt expiresAt",
    ),
}

RIGHTS = (
    '{"license": "editorial", "territories": ["FR", "JP"], "embargo_until": "2030-01-01T00:00:00Z", '
    '"expires_at": "2031-01-01T00:00:00.5Z", "ai_training": true}'
)


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
    if set(told.get("owner") or ()) == {"id"}:
        told["owner_id"] = told.pop("owner")["id"]
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
    ids = {"Storefront": storefront["id"], "Product": product["id"], "Order": made["id"], "AffiliateLink": link["id"]}
    return ids | await kept(partner, product)


async def kept(partner: Partner, product: dict[str, Any]) -> dict[str, str]:
    """A webhook, an asset and a try-on session, with something in every field."""
    webhook = {
        "url": "https://hooks.example.com/in", "events": ["order.created"], "description": "Orders", "ordered": True,
        "storefront_ids": [product["storefront_id"]], "concurrency": 3, "rate_limit": 50,
    }  # fmt: skip
    session = {
        "product_id": product["id"], "variant_id": product["variants"][0]["id"], "use_case": "product_page",
        "origin": "https://shop.example.com", "subject": "shopper 1", "consent": True,
    }  # fmt: skip
    told = {"title": "Twill", "rights": RIGHTS}
    files = {"file": ("twill.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml")}
    answers = {
        "Webhook": await partner.call("POST", "/v1/webhooks", 201, json=webhook),
        "TryonSession": await partner.call("POST", "/v1/tryon/sessions", 201, json=session),
        "Asset": await partner.call("POST", "/v1/assets", 201, data=told, files=files),
    }
    return {noun: answer.json()["id"] for noun, answer in answers.items()}


@pytest.mark.parametrize("noun", NOUNS)
async def test_every_field_is_the_same(partner: Partner, noun: str) -> None:
    ids = await grown(partner)
    route, fields = NOUNS[noun]
    rest = (await partner.call("GET", route.format(ids[noun]), 200)).json()
    data = await partner.data(f"query($id: ID!) {{ node(id: $id) {{ ... on {noun} {{ {fields} }} }} }}", id=ids[noun])
    assert as_rest(data["node"]) == rest


async def test_whatever_is_a_node_is_found_by_its_id() -> None:
    interface = build_schema()._schema.type_map["Node"]
    nodes = {kind.name for kind in build_schema()._schema.get_possible_types(interface)}  # type: ignore[arg-type]
    assert nodes == {name for _, name, _ in NODES.values()}


async def test_who_i_am_is_the_same(partner: Partner) -> None:
    rest = (await partner.call("GET", "/v1/me", 200)).json()
    data = await partner.data("{ me { id handle displayName twinActive } }")
    assert as_rest(data["me"]) == {name: rest[name] for name in ("id", "handle", "display_name", "twin_active")}


async def test_strangers_are_told_the_same(partner: Partner, other: Partner) -> None:
    ids = await grown(partner)
    for noun in ("Storefront", "Product"):
        route, fields = NOUNS[noun]
        rest = (await other.call("GET", route.format(ids[noun]), 200)).json()
        data = await other.data(f"query($id: ID!) {{ node(id: $id) {{ ... on {noun} {{ {fields} }} }} }}", id=ids[noun])
        assert as_rest(data["node"]) == rest
    for noun in ("Order", "AffiliateLink", "Webhook", "Asset", "TryonSession"):
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
