"""A product CSV as a sheet: its columns by our names for them, and its rows with their numbers."""

import csv
from collections.abc import Iterator
from itertools import chain

from resolvers.catalogue_files.rows import Fault, short
from resolvers.catalogue_files.source import Source, Unreadable

# Our name of a column: how files spell it. Shopify has two templates, with other names; files of both are about.
_SPELLINGS = {
    "handle": ("Handle", "URL handle"),
    "title": ("Title",),
    "body": ("Body (HTML)", "Body HTML", "Body", "Description"),
    "vendor": ("Vendor",),
    "type": ("Type", "Product Type"),
    "category": ("Product Category",),
    "tags": ("Tags",),
    "published": ("Published", "Published on online store"),
    "status": ("Status",),
    "sku": ("Variant SKU", "SKU"),
    "inventory": ("Variant Inventory Qty", "Inventory quantity"),
    "price": ("Variant Price", "Price"),
    "currency": ("Currency",),
    "image": ("Image Src", "Product image URL"),
    "alt": ("Image Alt Text",),
    "metadata": ("Metadata",),
    **{f"option{n} name": (f"Option{n} Name",) for n in (1, 2, 3)},
    **{f"option{n} value": (f"Option{n} Value",) for n in (1, 2, 3)},
}
_NAMES = {spelling.casefold(): name for name, spellings in _SPELLINGS.items() for spelling in spellings}
_NEEDED = ("handle", "title", "price")

Cells = dict[str, str]


class Header:
    """Where each column that we know stands, and how the file spells it. Raises `Fault`."""

    def __init__(self, header: list[str]) -> None:
        self._width = len(header)
        self._at: dict[str, int] = {}
        self._spelt = {name: spellings[0] for name, spellings in _SPELLINGS.items()}
        for at, spelling in enumerate(header):
            self._place(at, spelling.strip())
        for name in _NEEDED:
            if name not in self._at:
                raise Fault(self._spelt[name], f"the header has no such column, only {short(', '.join(header))}")

    def _place(self, at: int, spelling: str) -> None:
        name = _NAMES.get(spelling.casefold())
        if name is None:
            return
        if name in self._at:
            raise Fault(spelling, "the header has this column twice")
        self._at[name] = at
        self._spelt[name] = spelling

    def spelt(self, name: str) -> str:
        """The file's own name of a column, for messages."""
        return self._spelt[name]

    def cells(self, record: list[str]) -> Cells:
        """The cells of a row that have something in them, by our name of the column. Raises `Fault`."""
        if any(cell.strip() for cell in record[self._width :]):
            raise Fault(None, f"the row has {len(record)} cells, the header {self._width}; quote those with commas")
        found = ((name, record[at].strip()) for name, at in self._at.items() if at < len(record))
        return {name: cell for name, cell in found if cell}


class Sheet:
    """The rows of a CSV file. `row` is the one being read, as a spreadsheet counts: the header is 1, empty ones too."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.row = 1
        self.stopped: Unreadable | None = None
        self._records: Iterator[list[str]] = iter(())

    def header(self) -> Header:
        """The first row. Raises `Fault`, `Unreadable`."""
        lines = self._source.lines()
        first = next(lines, "")
        # Spreadsheets write semicolons where the comma is the decimal sign.
        delimiter = max(",;\t", key=first.count)
        self._records = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
        record = self._next()
        if not record:
            raise Fault(None, "the first row is empty; it must name the columns, such as Handle, Title, Variant Price")
        return Header(record)

    def __iter__(self) -> Iterator[tuple[int, int, list[str]]]:
        """Each row after the header that is not empty: its number, the bytes it took, its cells.

        Where the file cannot be read on, the rows end and `stopped` says why.
        """
        try:
            while (record := self._row_after()) is not None:
                if any(cell.strip() for cell in record):
                    yield self.row, self._source.taken, record
        except Unreadable as stop:
            self.stopped = stop

    def _row_after(self) -> list[str] | None:
        self.row += 1
        self._source.mark()
        return self._next()

    def _next(self) -> list[str] | None:
        try:
            return next(self._records, None)
        except csv.Error as error:
            raise Unreadable(f'the row is not CSV ({error}); quote the cell and double each " in it') from None
