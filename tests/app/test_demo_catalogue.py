"""The demo catalogue that `make run` loads: whole, consistent, and of the size that was promised."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from resolvers.catalogue_files import ProductRow, Refusal, read_products
from resolvers.product_inputs import ProductInput
from resolvers.storefronts import StorefrontInput

DEMO = Path(__file__).parents[2] / "app" / "demo"
STOREFRONTS: list[dict[str, Any]] = json.loads((DEMO / "storefronts.json").read_text(encoding="utf-8"))
AFFILIATES = json.loads((DEMO / "affiliate_links.json").read_text(encoding="utf-8"))
FILES = [DEMO / one["products"] for one in STOREFRONTS]
IDS = [one["handle"] for one in STOREFRONTS]

# What a size chart may measure: ISO 8559-1's girths, lengths and height, in short.
DIMENSIONS = {"height", "chest", "bust", "underbust", "waist", "hip", "inside_leg", "arm_length", "foot_length", "head",
              "hand", "wrist", "finger"}  # fmt: skip


def products(storefront: dict[str, Any]) -> list[dict[str, Any]]:
    """The storefront's products; its prices name their currency themselves."""
    return [one.product for one in read_products(DEMO / storefront["products"]) if isinstance(one, ProductRow)]


CATALOGUE = {one["handle"]: products(one) for one in STOREFRONTS}
EVERY_PRODUCT = [product for found in CATALOGUE.values() for product in found]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_no_row_is_refused(path):
    assert [one for one in read_products(path) if isinstance(one, Refusal)] == []


@pytest.mark.parametrize("product", EVERY_PRODUCT, ids=lambda product: product["sku"])
def test_the_upsert_takes_every_product(product):
    assert ProductInput.model_validate(product).sku == product["sku"]


@pytest.mark.parametrize("storefront", STOREFRONTS, ids=IDS)
def test_every_storefront_can_be_made(storefront):
    given = {name: value for name, value in storefront.items() if name not in {"owner", "products"}}
    assert StorefrontInput.model_validate(given).handle == storefront["handle"]
    assert set(storefront["owner"]) == {"handle", "display_name", "region"}
    assert storefront["owner"]["region"] in {"eu", "us"}


def test_there_are_as_many_as_promised():
    assert len(STOREFRONTS) >= 12
    assert len(EVERY_PRODUCT) >= 150
    assert len(AFFILIATES["links"]) >= 60
    assert 8 <= len(AFFILIATES["affiliates"]) <= 12
    assert {path.suffix for path in FILES} == {".csv", ".json"}
    assert {path.name for path in (DEMO / "products").iterdir()} == {path.name for path in FILES}


def test_there_is_something_of_every_kind():
    assert Counter(one["status"] for one in STOREFRONTS).keys() == {"active", "paused", "draft"}
    assert "unlisted" in {one["settings"]["visibility"] for one in STOREFRONTS}
    assert {one["settings"]["currency"] for one in STOREFRONTS} >= {"EUR", "GBP", "USD", "SEK", "JPY", "PLN", "CHF"}
    assert {one["status"] for one in EVERY_PRODUCT} == {"active", "draft", "archived"}
    assert sum("size_chart" in one["metadata"] for one in EVERY_PRODUCT) >= 80
    assert 0 in {variant["inventory"] for one in EVERY_PRODUCT for variant in one["variants"]}


@pytest.mark.parametrize("storefront", STOREFRONTS, ids=IDS)
def test_prices_are_in_the_currency_of_the_storefront(storefront):
    prices = [product["price"] for product in CATALOGUE[storefront["handle"]]]
    prices += [v["price"] for product in CATALOGUE[storefront["handle"]] for v in product["variants"] if "price" in v]
    assert {price["currency"] for price in prices} == {storefront["settings"]["currency"]}


@pytest.mark.parametrize("handle", IDS)
def test_a_sku_is_used_once_in_a_storefront(handle):
    found = CATALOGUE[handle]
    for skus in ([one["sku"] for one in found], [v["sku"] for one in found for v in one["variants"]]):
        assert [sku for sku, times in Counter(skus).items() if times > 1] == []


def test_no_text_is_used_twice():
    for field in ("description", "title"):
        repeated = [text for text, times in Counter(one[field] for one in EVERY_PRODUCT).items() if times > 1]
        assert repeated == []


@pytest.mark.parametrize("product", EVERY_PRODUCT, ids=lambda product: product["sku"])
def test_a_buyer_is_told_what_it_is(product):
    assert len(product["description"]) > 30
    assert product["category"]
    assert product["metadata"]["materials"]
    assert product["metadata"]["care"]
    for picture in product["media"]:
        assert picture["url"].startswith("https://cdn.example.com/")
        assert picture["alt"]


@pytest.mark.parametrize("product", [one for one in EVERY_PRODUCT if "size_chart" in one["metadata"]],
                         ids=lambda product: product["sku"])  # fmt: skip
def test_a_size_chart_covers_every_size_on_offer(product):
    chart = product["metadata"]["size_chart"]
    offered = {variant["options"][chart["option"]] for variant in product["variants"]}
    assert offered <= set(chart["sizes"])
    assert chart["unit"] in {"cm", "mm"}
    for dimensions in chart["sizes"].values():
        assert dimensions.keys() <= DIMENSIONS
        assert set(chart["ease"]) <= set(dimensions)
        assert all(low < high for low, high in dimensions.values())


def test_every_link_leads_to_a_product_of_ours():
    known = {one["handle"] for one in AFFILIATES["affiliates"]}
    for link in AFFILIATES["links"]:
        assert link["affiliate"] in known
        assert link["sku"] in {one["sku"] for one in CATALOGUE[link["storefront"]]}
        assert re.fullmatch(r"0\.\d{2}", link["commission_rate"])


def test_codes_are_unique_and_of_the_form_that_links_have():
    codes = [link["code"] for link in AFFILIATES["links"]]
    assert len(set(codes)) == len(codes)
    assert [code for code in codes if not re.fullmatch(r"[A-Za-z0-9_-]{3,64}", code)] == []


def test_no_two_accounts_share_a_handle():
    owners = {one["owner"]["handle"]: one["owner"] for one in STOREFRONTS}
    assert all(owners[one["owner"]["handle"]] == one["owner"] for one in STOREFRONTS)
    handles = [*owners, *(one["handle"] for one in AFFILIATES["affiliates"])]
    assert len(set(handles)) == len(handles)
