"""Product files as partners have them, and their faults."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from resolvers.catalogue_files import ProductRow, Refusal, read_products
from resolvers.catalogue_files.html_text import plain_text

ROOT = Path(__file__).parents[2]
SHOP_DUMP = ROOT.parent / "shared" / "data" / "saleor" / "products.json"

SHOPIFY = """\
Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,\
Variant Inventory Qty,Variant Price,Cost per item,Image Src,Image Alt Text,Status
harbour-tee,Harbour tee,"<p>Heavy jersey &amp; a <b>ribbed</b> neck.</p>
<ul><li>Made in Porto</li></ul>",Cais,T-shirts,"jersey, summer",TRUE,Size,S,Colour,Navy,HT-S-N,4,29.00,11.20,\
https://cdn.example.com/ht-1.jpg,Front,active
harbour-tee,,,,,,,,M,,Navy,,0,29.00,11.20,https://cdn.example.com/ht-2.jpg,Back,
harbour-tee,,,,,,,,,,,,,,,https://cdn.example.com/ht-3.jpg,Hem,
pier-cap,Pier cap,,Cais,Caps,,FALSE,Title,Default Title,,,,12,19,,,,draft
"""


def read(tmp_path: Path, content: str | bytes, currency: str | None = "EUR") -> list[Any]:
    path = tmp_path / "products"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_products(path, currency=currency))


def refusals(found: list[Any]) -> list[tuple[int, str | None]]:
    return [(one.row, one.field) for one in found if isinstance(one, Refusal)]


def products(found: list[Any]) -> list[dict[str, Any]]:
    return [one.product for one in found if isinstance(one, ProductRow)]


def sheet(*rows: str, header: str = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price") -> str:
    return "\n".join([header, *rows])


class TestCsv:
    def test_the_rows_of_a_handle_become_one_product(self, tmp_path):
        tee, cap = read(tmp_path, SHOPIFY)
        price = {"amount": "29.00", "currency": "EUR"}
        assert tee == ProductRow(
            2,
            (2, 3, 4),
            {
                "sku": "harbour-tee",
                "title": "Harbour tee",
                "description": "Heavy jersey & a ribbed neck.\n- Made in Porto",
                "category": "T-shirts",
                "metadata": {"vendor": "Cais", "tags": ["jersey", "summer"]},
                "status": "active",
                "visibility": "public",
                "price": price,
                "media": [
                    {"url": "https://cdn.example.com/ht-1.jpg", "alt": "Front"},
                    {"url": "https://cdn.example.com/ht-2.jpg", "alt": "Back"},
                    {"url": "https://cdn.example.com/ht-3.jpg", "alt": "Hem"},
                ],
                "variants": [
                    {"sku": "HT-S-N", "options": {"size": "S", "colour": "Navy"}, "price": price, "inventory": 4},
                    {
                        "sku": "harbour-tee-m-navy",
                        "options": {"size": "M", "colour": "Navy"},
                        "price": price,
                        "inventory": 0,
                    },
                ],
            },
        )
        assert cap.product["variants"] == [
            {"sku": "pier-cap", "options": {}, "price": {"amount": "19", "currency": "EUR"}, "inventory": 12}
        ]
        assert (cap.product["status"], cap.product["visibility"]) == ("draft", "hidden")

    def test_columns_may_stand_in_any_order_and_unknown_ones_are_kept_out(self, tmp_path):
        records = list(csv.reader(io.StringIO(SHOPIFY)))
        turned = io.StringIO()
        csv.writer(turned).writerows([["x", *reversed(record)] for record in records])
        assert read(tmp_path, turned.getvalue()) == read(tmp_path, SHOPIFY)
        assert "11.20" not in str(read(tmp_path, SHOPIFY))

    def test_the_newer_template_and_a_spreadsheet_with_semicolons_are_read(self, tmp_path):
        (row,) = read(
            tmp_path, "\ufeffTitle;URL handle;SKU;Price;Inventory quantity\r\nPier cap;pier-cap;PC;19.00;3\r\n"
        )
        assert row.product["sku"] == "pier-cap"
        assert row.product["variants"][0] | {"price": None} == {
            "sku": "PC",
            "options": {},
            "price": None,
            "inventory": 3,
        }

    def test_metadata_is_a_json_object(self, tmp_path):
        header = "Handle,Title,Variant Price,Metadata"
        found = read(tmp_path, sheet('a,A,1,"{""care"": ""cold wash""}"', "b,B,1,[]", "c,C,1,{", header=header))
        assert products(found)[0]["metadata"] == {"care": "cold wash"}
        assert refusals(found) == [(3, "Metadata"), (4, "Metadata")]

    def test_an_unlisted_product_is_active_and_out_of_lists(self, tmp_path):
        header = "Handle,Title,Variant Price,Status,Published"
        found = read(tmp_path, sheet("a,A,1,Unlisted,TRUE", "b,B,1,unlisted,false", header=header))
        assert [(one["status"], one["visibility"]) for one in products(found)] == [
            ("active", "unlisted"),
            ("active", "hidden"),
        ]

    @pytest.mark.parametrize(
        ("row", "field"),
        [
            ("tee,,Size,S,T-S,29", "Title"),
            (",Tee,Size,S,T-S,29", "Handle"),
            ("tee,Tee,,S,T-S,29", "Option1 Name"),
            ("tee,Tee,Size,S,T-S,-1", "Variant Price"),
            ("tee,Tee,Size,S,T-S,1e3", "Variant Price"),
            ('tee,Tee,Size,S,T-S,"1,299.00"', "Variant Price"),
            ("tee,Tee,Size,S,T-S,", "Variant Price"),
            ("tee,Tee,Size,S,T-S,29,extra", None),
        ],
    )
    def test_a_row_with_a_fault_is_refused_by_number_and_column(self, tmp_path, row, field):
        found = read(tmp_path, sheet("first,First,,,F-1,10", row, "last,Last,,,L-1,10"))
        assert (3, field) in refusals(found)
        assert [one["sku"] for one in products(found)] == ["first", "last"]
        assert not any("T-S" in str(one) for one in products(found))

    def test_a_faulty_variant_leaves_the_rest_of_its_product(self, tmp_path):
        found = read(tmp_path, sheet("tee,Tee,Size,S,T-S,abc", "tee,,,M,T-M,31", "tee,,,L,T-L,33"))
        assert refusals(found) == [(2, "Variant Price")]
        (tee,) = products(found)
        assert [variant["sku"] for variant in tee["variants"]] == ["T-M", "T-L"]
        assert tee["price"] == {"amount": "31", "currency": "EUR"}

    def test_every_row_of_a_refused_product_is_reported(self, tmp_path):
        found = read(tmp_path, sheet("tee,,Size,S,T-S,29", "tee,,,M,T-M,29", "tee,,,L,T-L,29"))
        assert [row for row, _ in refusals(found)] == [2, 3, 4]

    def test_a_sku_is_taken_once_in_a_file(self, tmp_path):
        found = read(tmp_path, sheet("a,A,,,ONE,1", "b,B,,,ONE,1", "c,C,Size,S,,1", "c,,,s,,1"))
        assert refusals(found) == [(3, "Variant SKU"), (3, "Variant Price"), (5, "Variant SKU")]
        assert "row 2" in next(one.reason for one in found if isinstance(one, Refusal))

    def test_a_handle_that_comes_again_later_is_refused(self, tmp_path):
        found = read(tmp_path, sheet("a,A,Size,S,,1", "b,B,,,,1", "a,,,M,,1", "a,A,,L,,1"))
        assert [row for row, _ in refusals(found)] == [4, 5]
        assert [one["sku"] for one in products(found)] == ["a", "b"]

    def test_prices_are_in_the_currency_of_the_row_else_of_the_import(self, tmp_path):
        text = sheet("a,A,1,sek", "b,B,1,", "c,C,1,€", header="Handle,Title,Variant Price,Currency")
        found = read(tmp_path, text)
        assert [one["price"]["currency"] for one in products(found)] == ["SEK", "EUR"]
        assert (4, "Currency") in refusals(found)
        assert refusals(read(tmp_path, text, currency=None))[0] == (3, "Currency")

    def test_stock_is_a_whole_number_from_zero(self, tmp_path):
        header = "Handle,Title,Variant Price,Variant Inventory Qty,Variant SKU"
        rows = [f"p{n},P,1,{qty},s{n}" for n, qty in enumerate(["7", "-1", "1.5", "many"])]
        assert [field for _, field in refusals(read(tmp_path, sheet(*rows, header=header)))][::2] == [
            "Variant Inventory Qty"
        ] * 3

    @pytest.mark.parametrize(
        "text", ["", "\n", "Title,Variant Price\nA,1", "Handle,Title,Handle,Variant Price\na,A,a,1"]
    )
    def test_a_header_that_cannot_be_used_is_row_one(self, tmp_path, text):
        (refusal,) = read(tmp_path, text)
        assert refusal.row == 1

    def test_rows_are_counted_as_a_spreadsheet_does(self, tmp_path):
        found = read(tmp_path, sheet('a,"two\nlines",,,,1', "", "b,B,,,,x"))
        assert (4, "Variant Price") in refusals(found)

    def test_bytes_that_are_not_utf8_are_named_by_place(self, tmp_path):
        content = b"\xef\xbb\xbf" + sheet("a,A,,,,1", "b,Na").encode() + b"\xefve,,,,1\n"
        found = read(tmp_path, content)
        assert products(found)[0]["sku"] == "a"
        refusal = found[-1]
        at = content.index(b"\xefve")
        assert refusal.row == 3
        assert f"byte {at} (0xEF)" in refusal.reason
        assert "byte 0 (0xFF)" in read(tmp_path, SHOPIFY.encode("utf-16"))[0].reason

    def test_an_open_quote_does_not_swallow_the_file(self, tmp_path):
        found = read(tmp_path, sheet("a,A,,,,1", 'b,"B,,,,1', *(f"c{n},C,,,,1" for n in range(50_000))))
        assert [one["sku"] for one in products(found)] == ["a"]
        assert refusals(found) == [(3, None)]

    def test_a_long_derived_sku_is_cut_and_stays_its_own(self, tmp_path):
        found = read(tmp_path, sheet(f"a,A,Size,{'x' * 200}1,,1", f"a,,,{'x' * 200}2,,1"))
        skus = [variant["sku"] for variant in products(found)[0]["variants"]]
        assert len(set(skus)) == 2
        assert all(len(sku) == 128 for sku in skus)


class TestJson:
    def test_the_upsert_body_is_read_as_it_is(self, tmp_path):
        body = {
            "sku": "harbour-tee",
            "title": "Harbour tee",
            "description": "Heavy jersey.",
            "price": {"amount": "29.00", "currency": "EUR"},
            "category": "T-shirts",
            "status": "active",
            "visibility": "public",
            "metadata": {"care": ["cold wash"], "size_chart": {"unit": "cm", "sizes": {"M": {"chest": [96, 100.5]}}}},
            "media": [{"url": "https://cdn.example.com/ht.jpg", "alt": "Front"}],
            "variants": [
                {
                    "sku": "HT-S",
                    "options": {"size": "S"},
                    "price": {"amount": "31.00", "currency": "EUR"},
                    "inventory": 4,
                }
            ],
        }
        assert read(tmp_path, json.dumps([body, body | {"sku": "b", "variants": []}])) == [
            ProductRow(1, (1,), body),
            ProductRow(2, (2,), body | {"sku": "b", "variants": []}),
        ]
        assert read(tmp_path, json.dumps({"count": 1, "products": [body], "next": None})) == [ProductRow(1, (1,), body)]

    def test_a_shop_export_is_read(self, tmp_path):
        export = {
            "handle": "harbour-tee",
            "title": "Harbour tee",
            "body_html": "<p>Heavy jersey.</p>",
            "product_type": "T-shirts",
            "vendor": "Cais",
            "options": [{"name": "Size"}],
            "images": [{"src": "https://cdn.example.com/ht.jpg"}, "loose.png"],
            "variants": [{"option1": "S", "sku": None, "price": "29.00", "inventory_quantity": 2}],
        }
        (row,) = read(tmp_path, json.dumps({"products": [export]}))
        price = {"amount": "29.00", "currency": "EUR"}
        assert row.product == {
            "sku": "harbour-tee",
            "title": "Harbour tee",
            "description": "Heavy jersey.",
            "category": "T-shirts",
            "metadata": {"vendor": "Cais", "images": ["loose.png"]},
            "price": price,
            "media": [{"url": "https://cdn.example.com/ht.jpg", "alt": ""}],
            "variants": [{"sku": "harbour-tee-s", "options": {"size": "S"}, "price": price, "inventory": 2}],
        }

    @pytest.mark.skipif(not SHOP_DUMP.exists(), reason="the shared product data is not beside the project")
    @pytest.mark.parametrize(("currency", "amount"), [("USD", "80.000"), ("PLN", "240.000")])
    def test_a_real_dump_with_prices_in_two_currencies(self, currency, amount):
        found = list(read_products(SHOP_DUMP, currency=currency))
        assert len(found) == len(products(found)) == 18
        assert {variant["price"]["currency"] for one in products(found) for variant in one["variants"]} == {currency}
        plimsolls = products(found)[0]
        assert plimsolls["price"] == {"amount": amount, "currency": currency}
        assert plimsolls["variants"][0]["options"] == {"shoe size": "39"}
        assert plimsolls["variants"][0]["inventory"] == 500
        assert plimsolls["metadata"]["brand"] == ["Saleor Loom"]
        assert sum(len(one["variants"]) for one in products(found)) == 53

    @pytest.mark.parametrize(
        ("product", "field"),
        [
            (5, None),
            ({"title": "T", "price": "1"}, "/sku"),
            ({"sku": "s", "price": "1"}, "/title"),
            ({"sku": "s", "title": "T"}, "/price"),
            ({"sku": "s", "title": "T", "price": "-1"}, "/price"),
            ({"sku": "s", "title": "T", "price": True}, "/price"),
            ({"sku": "s", "title": "T", "price": {"amount": "1", "currency": 7}}, "/price/currency"),
            ({"sku": "s", "title": "T", "price": {"amount": [], "currency": "EUR"}}, "/price/amount"),
            ({"sku": ["s"], "title": "T", "price": "1"}, "/sku"),
            ({"sku": "s", "title": "T", "price": "1", "variants": {}}, "/variants"),
            ({"sku": "s", "title": "T", "price": "1", "variants": ["M"]}, "/variants/0"),
            ({"sku": "s", "title": "T", "price": "1", "variants": [{"sku": "a"}, {"sku": "a"}]}, "/variants/1/sku"),
            ({"sku": "s", "title": "T", "price": "1", "variants": [{"stock": "3"}]}, "/variants/0/stock"),
            (
                {"sku": "s", "title": "T", "price": "1", "variants": [{"options": {"a/b": {}}}]},
                "/variants/0/options/a~1b",
            ),
            ({"sku": "s", "title": "T", "price": "1", "metadata": {"n": [2**70]}}, "/metadata/n/0"),
            ({"sku": "s", "title": "T", "price": "1", "media": [{"alt": "x"}]}, "/media/0"),
        ],
    )
    def test_a_product_with_a_fault_is_refused_by_place_and_pointer(self, tmp_path, product, field):
        good = {"sku": "good", "title": "Good", "price": "1"}
        found = read(tmp_path, json.dumps([good, product, good | {"sku": "more"}]))
        assert (2, field) in refusals(found)
        assert [one["sku"] for one in products(found)] == ["good", "more"]

    def test_a_sku_is_taken_once_in_a_file(self, tmp_path):
        tee = {"sku": "tee", "title": "Tee", "price": "1", "variants": [{"sku": "T-S"}]}
        assert refusals(read(tmp_path, json.dumps([tee, tee]))) == [(2, "/sku"), (2, "/variants/0/sku")]

    @pytest.mark.parametrize(
        ("tail", "says"),
        [
            (b', {"a" 1}]', "not JSON"),
            (b", {", "not JSON"),
            (b"] x", "not JSON"),
            (b", NaN]", "not JSON"),
            (b', "\xff"]', "byte 47 (0xFF) is not UTF-8"),
            (b', "\\ud800x\\udc00"]', "half of a character"),
            (b", " + b"9" * 9999 + b"]", "thousands of digits"),
            (b", " + b"[" * 100_000, "nested"),
            (b', "' + b"x" * 3_000_000 + b'"]', "takes more than"),
        ],
    )
    def test_what_comes_before_the_file_breaks_off_is_kept(self, tmp_path, tail, says):
        found = read(tmp_path, b'[{"sku": "good", "title": "T", "price": 1.5}' + tail)
        assert [one["price"]["amount"] for one in products(found)] == ["1.5"]
        assert says in found[-1].reason

    @pytest.mark.parametrize("text", ["[]", "{}", '{"products": {}}', '{"items": [{"sku": "a"}]}'])
    def test_a_file_without_products_says_so(self, tmp_path, text):
        assert refusals(read(tmp_path, text)) == [(1, None)]


class TestHtml:
    @pytest.mark.parametrize(
        ("markup", "text"),
        [
            ("plain\n\nas it is", "plain\n\nas it is"),
            ("<p>One</p><p>Two<br/>three</p>", "One\nTwo\nthree"),
            ("<ul>\n <li>a</li>\n <li>b</li></ul>", "- a\n- b"),
            ("fit &lt; regular &amp; 5 &euro;", "fit < regular & 5 €"),
            ("a < b <b>and</b> c > d", "a < b and c > d"),
            ("<style>p { }</style>seen<script>if (a<b) x()</script><!-- <p>not</p> -->", "seen"),
            ('<a href="https://example.com" title="x">link</a>', "link"),
        ],
    )
    def test_what_a_reader_sees(self, markup, text):
        assert plain_text(markup) == text

    @pytest.mark.parametrize("piece", ["<", "<!--", "<a ", "<![", "<script>", "&#", "<p", "\n "])
    def test_hostile_markup_takes_no_longer_than_its_length(self, piece):
        assert len(plain_text(piece * 100_000)) <= len(piece) * 100_000
