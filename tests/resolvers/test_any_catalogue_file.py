"""What no product file may do, whatever is in it: raise, or fill the memory."""

import csv
import io
import json
import subprocess
import sys
from typing import Any, TextIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolvers.catalogue_files import ProductRow
from tests.resolvers.test_catalogue_files import ROOT, products, read

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)
WORD = st.text("abcdeéß漢 -/½'\"\n,;", min_size=1, max_size=8).map(str.strip).filter(bool)
AMOUNT = st.decimals(0, 9999, places=2).map(str)
COLUMNS = ["Handle", "Title", "Option1 Name", "Option1 Value", "Variant SKU", "Variant Price", "Variant Inventory Qty",
           "Currency", "Status", "Published", "Metadata", "Image Src", "Body (HTML)"]  # fmt: skip


FIELDS = ["sku", "title", "price", "amount", "currency", "variants", "options", "media", "metadata", "images",
          "attributes", "prices", "name", "url", "stock"]  # fmt: skip
SHAPELESS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | CELL,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=25,
)


def written(header: list[str], rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()


@st.composite
def catalogues(draw):
    """Products as a CSV can say them, each with variants of one option."""
    handles = draw(st.lists(WORD, min_size=1, max_size=4, unique=True))
    skus = iter(draw(st.lists(WORD, min_size=12, max_size=12, unique=True)))
    return [draw(one_product(handle, skus)) for handle in handles]


@st.composite
def one_product(draw, handle, skus):
    sizes = draw(st.lists(WORD, min_size=1, max_size=3, unique=True))
    variants = [
        {"sku": next(skus), "options": {"size": size}, "price": {"amount": draw(AMOUNT), "currency": "EUR"},
         "inventory": draw(st.integers(0, 99))}
        for size in sizes
    ]  # fmt: skip
    return {"sku": handle, "title": draw(WORD), "price": variants[0]["price"], "variants": variants}


def as_rows(product: dict[str, Any]) -> list[list[str]]:
    return [
        [product["sku"], "" if n else product["title"], "" if n else "Size", variant["options"]["size"], variant["sku"],
         variant["price"]["amount"], str(variant["inventory"]), "EUR"]
        for n, variant in enumerate(product["variants"])
    ]  # fmt: skip


class TestProperties:
    @given(st.lists(st.lists(CELL, min_size=len(COLUMNS), max_size=len(COLUMNS)), max_size=6))
    @settings(deadline=None)
    def test_any_text_in_any_cell_is_a_product_or_a_refusal(self, tmp_path_factory, rows):
        found = read(tmp_path_factory.getbasetemp(), written(COLUMNS, rows))
        filled = {at for at, row in enumerate(rows, start=2) if any(cell.strip() for cell in row)}
        told = {row for one in found for row in (one.rows if isinstance(one, ProductRow) else (one.row,))}
        assert told == filled

    @given(st.binary(max_size=200), st.sampled_from([b"", b"[", b'{"products": [', b"Handle,Title,Variant Price\n"]))
    @settings(deadline=None)
    def test_any_bytes_are_read_without_an_error(self, tmp_path_factory, content, start):
        assert isinstance(read(tmp_path_factory.getbasetemp(), start + content), list)

    @given(SHAPELESS)
    @settings(deadline=None)
    def test_any_json_is_a_product_or_refusals(self, tmp_path_factory, value):
        found = read(tmp_path_factory.getbasetemp(), json.dumps([value]))
        assert {one.row for one in found} == {1}
        assert json.loads(json.dumps(products(found), allow_nan=False)) == products(found)

    @given(catalogues())
    @settings(deadline=None)
    def test_a_written_catalogue_comes_back(self, tmp_path_factory, catalogue):
        header = [*COLUMNS[:7], "Currency"]
        found = read(
            tmp_path_factory.getbasetemp(), written(header, [row for one in catalogue for row in as_rows(one)])
        )
        assert products(found) == catalogue
        numbers = [number for one in found for number in one.rows]
        assert numbers == list(range(2, 2 + sum(len(one["variants"]) for one in catalogue)))

    @given(catalogues())
    @settings(deadline=None)
    def test_the_same_catalogue_in_json_gives_the_same_products(self, tmp_path_factory, catalogue):
        assert products(read(tmp_path_factory.getbasetemp(), json.dumps(catalogue))) == catalogue


MEASURE = """
import resource, sys
from resolvers.catalogue_files import read_products
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before, count = peak(), 0
for found in read_products(sys.argv[1], currency="EUR"):
    count += hasattr(found, "product")
print(count, peak() - before)
"""


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_file_of_100_mb_is_read_in_less_than_30(tmp_path, kind):
    path, count = tmp_path / f"large.{kind}", 24_000
    with path.open("w") as file:
        write_large(file, kind, count)
    assert path.stat().st_size > 100_000_000
    run = subprocess.run([sys.executable, "-c", MEASURE, path], cwd=ROOT, capture_output=True, text=True, check=True)
    read_count, growth = map(int, run.stdout.split())
    assert read_count == count
    assert growth < 30


def write_large(file: TextIO, kind: str, count: int) -> None:
    text = "A long and patient description. " * 130
    if kind == "csv":
        file.write("Handle,Title,Body (HTML),Option1 Name,Option1 Value,Variant SKU,Variant Price\n")
        first, more = f'Product,"<p>{text}</p>",Size,S,,29.00', ",,,M,,29.00"
        file.writelines(f"p{n},{first}\np{n},{more}\n" for n in range(count))
        return
    body = {"title": "Product", "description": text, "price": "29.00", "variants": [{"options": {"size": "S"}}]}
    tail = json.dumps(body)[1:]
    file.writelines(f'{"," if n else "["}{{"sku": "p{n}", {tail}' for n in range(count))
    file.write("]")
