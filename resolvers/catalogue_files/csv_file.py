"""Shopify-style product CSV: the first row of a handle has the product, each of its rows adds a variant or an image."""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from resolvers.catalogue_files.html_text import plain_text
from resolvers.catalogue_files.rows import Fault, ProductRow, Refusal, Seen, derived_sku, money, short
from resolvers.catalogue_files.sheet import Cells, Header, Sheet
from resolvers.catalogue_files.source import PRODUCT_BYTES, Source, Unreadable

_OPTIONS = (1, 2, 3)
_OF_A_VARIANT = ("sku", "price", "inventory", *(f"option{n} value" for n in _OPTIONS))
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_PUBLISHED = {"true": "public", "false": "hidden"}
_STATUSES = {
    "active": {"status": "active"},
    "draft": {"status": "draft"},
    "archived": {"status": "archived"},
    "unlisted": {"status": "active", "visibility": "unlisted"},
}

T = TypeVar("T")


def read_csv(source: Source, currency: str | None) -> Iterator[ProductRow | Refusal]:
    """Yield products and refusals; columns may stand in any order, and those that mean nothing here are left alone."""
    with closing(Seen()) as seen:
        sheet = Sheet(source)
        try:
            header = sheet.header()
        except Fault as fault:
            yield Refusal(1, fault.field, fault.reason)
        except Unreadable as stop:
            yield Refusal(1, None, str(stop))
        else:
            yield from _products(sheet, header, currency, seen)
        if sheet.stopped:
            yield Refusal(sheet.row, None, f"{sheet.stopped}; nothing from here on was read")


def _products(sheet: Sheet, header: Header, currency: str | None, seen: Seen) -> Iterator[ProductRow | Refusal]:
    product: _Product | None = None
    for row, size, record in sheet:
        try:
            cells = header.cells(record)
            handle = _handle(cells, header)
            if product is None or product.handle != handle:
                yield from product.done() if product else ()
                product = _Product(handle, row, header, currency, seen)
            product.add(row, size, cells)
        except Fault as fault:
            yield Refusal(row, fault.field, fault.reason)
    yield from product.done() if product else ()


def _handle(cells: Cells, header: Header) -> str:
    if "handle" not in cells:
        raise Fault(header.spelt("handle"), "the row does not say which product it is of")
    return cells["handle"]


@dataclass(slots=True)
class _Product:
    """What the rows of one handle add up to."""

    handle: str
    row: int
    header: Header
    currency: str | None
    seen: Seen
    rows: list[int] = field(default_factory=list)
    size: int = 0
    body: dict[str, Any] | None = None
    option_names: dict[int, str] = field(default_factory=dict)
    variants: list[dict[str, Any]] = field(default_factory=list)
    media: dict[str, str] = field(default_factory=dict)

    def add(self, row: int, size: int, cells: Cells) -> None:
        """Take one row in. Raises `Fault`; what the row has beside the fault is kept."""
        self.size += size
        if self.size > PRODUCT_BYTES:
            raise Fault(None, f"the rows of this product take more than {PRODUCT_BYTES} bytes; this one is left out")
        if row == self.row:
            self.body = self._listing(cells)
        if self.body is None:
            raise Fault(None, f"its product, which begins in row {self.row}, was refused")
        self.rows.append(row)
        self._name_options(cells)
        if "image" in cells:
            self.media.setdefault(cells["image"], cells.get("alt", ""))
        if any(name in cells for name in _OF_A_VARIANT):
            self.variants.append(self._variant(row, cells))

    def done(self) -> Iterator[ProductRow | Refusal]:
        """The product, once all of its rows are in; its price is that of its first variant that has one."""
        if self.body is None:
            return
        price = next((variant["price"] for variant in self.variants if "price" in variant), None)
        if price is None:
            reason = "no row of this product has a price that can be used, so all of it was refused"
            yield from (Refusal(row, self.header.spelt("price"), reason) for row in self.rows)
            return
        media = [{"url": url, "alt": alt} for url, alt in self.media.items()]
        body = {**self.body, "price": price, **({"media": media} if media else {}), "variants": self.variants}
        yield ProductRow(self.row, tuple(self.rows), body)

    def _listing(self, cells: Cells) -> dict[str, Any]:
        self._claim()
        if "title" not in cells:
            raise self._fault("title", "the first row of a product must have its title")
        given = {
            "description": plain_text(cells.get("body", "")),
            "category": cells.get("type") or cells.get("category", "").rpartition(">")[2].strip(),
            "metadata": self._metadata(cells),
            **self._shown(cells),
        }
        return {"sku": self.handle, "title": cells["title"], **{name: value for name, value in given.items() if value}}

    def _claim(self) -> None:
        before = self.seen.before("product", self.handle)
        if before is not None:
            where = f"{short(self.handle)} already stands in row {before}"
            raise self._fault("handle", f"{where}; the rows of one product must follow each other")
        self.seen.note("product", self.handle, self.row)

    def _shown(self, cells: Cells) -> dict[str, str]:
        shown: dict[str, str] = {}
        if status := cells.get("status"):
            shown |= self._one_of("status", status, _STATUSES)
        if published := cells.get("published"):
            visibility = self._one_of("published", published, _PUBLISHED)
            # An unlisted product is published too; one that is not published is hidden whatever its status.
            if visibility == "hidden" or "visibility" not in shown:
                shown["visibility"] = visibility
        return shown

    def _one_of(self, name: str, word: str, meanings: Mapping[str, T]) -> T:
        meaning = meanings.get(word.casefold())
        if meaning is None:
            raise self._fault(name, f"{short(word)} is not one of {', '.join(meanings)}")
        return meaning

    def _metadata(self, cells: Cells) -> dict[str, Any]:
        tags = [tag.strip() for tag in cells.get("tags", "").split(",")]
        plain = {"vendor": cells.get("vendor"), "tags": [tag for tag in tags if tag]}
        return {name: value for name, value in plain.items() if value} | self._own_metadata(cells.get("metadata", "{}"))

    def _own_metadata(self, cell: str) -> dict[str, Any]:
        try:
            value = orjson.loads(cell)
        except orjson.JSONDecodeError as error:
            raise self._fault("metadata", f"the cell is not JSON: {error}") from None
        if not isinstance(value, dict):
            raise self._fault("metadata", f'{short(cell)} is not an object, such as {{"care": "cold wash"}}')
        return value

    def _variant(self, row: int, cells: Cells) -> dict[str, Any]:
        options = self._options(cells)
        sku = cells.get("sku") or derived_sku(self.handle, options)
        variant: dict[str, Any] = {"sku": sku, "options": options}
        if "price" in cells:
            currency = cells.get("currency", self.currency)
            variant["price"] = money(
                cells["price"], currency, at=self.header.spelt("price"), currency_at=self.header.spelt("currency")
            )
        if "inventory" in cells:
            variant["inventory"] = self._pieces(cells["inventory"])
        before = self.seen.before("variant", sku)
        if before is not None:
            where = f"{short(sku)} already stands in row {before}"
            raise self._fault("sku", f"{where}; each variant needs a SKU of its own")
        self.seen.note("variant", sku, row)
        return variant

    def _name_options(self, cells: Cells) -> None:
        for n in _OPTIONS:
            if name := cells.get(f"option{n} name"):
                self.option_names.setdefault(n, name.casefold())

    def _options(self, cells: Cells) -> dict[str, str]:
        options: dict[str, str] = {}
        for n in _OPTIONS:
            name, value = self.option_names.get(n), cells.get(f"option{n} value")
            if value is None or (name, value) == ("title", "Default Title"):
                continue
            if name is None or name in options:
                wrong = "no name" if name is None else f"the name of another, {short(name)}"
                reason = f"the option {short(value)} has {wrong}; the product's first row names its options"
                raise self._fault(f"option{n} name", reason)
            options[name] = value
        return options

    def _pieces(self, cell: str) -> int:
        if not _WHOLE.fullmatch(cell):
            raise self._fault("inventory", f"{short(cell)} is not a number of pieces; write a whole number")
        if cell.startswith("-"):
            raise self._fault("inventory", f"{short(cell)} is below zero; stock is 0 or more")
        return int(cell)

    def _fault(self, name: str, reason: str) -> Fault:
        return Fault(self.header.spelt(name), reason)
