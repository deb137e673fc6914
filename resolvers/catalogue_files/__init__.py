"""Product files: what a partner exports from a shop, read as bodies of `POST /v1/storefronts/{id}/products`.

Nothing here knows the database: a file becomes products to upsert, and refusals of the rows that none can be made of.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from resolvers.catalogue_files.csv_file import read_csv
from resolvers.catalogue_files.json_file import read_json
from resolvers.catalogue_files.rows import ProductRow, Refusal
from resolvers.catalogue_files.source import BOM, Source

__all__ = ["ProductRow", "Refusal", "read_products"]


def read_products(path: Path | str, *, currency: str | None = None) -> Iterator[ProductRow | Refusal]:
    """Yield each product of a Shopify-style CSV or a JSON file, in file order, and a refusal for each row with a fault.

    `currency` (ISO 4217) is that of prices which name none. The kind of file is told by its first character, not by
    its name; the columns and fields that are read stand in `sheet.py` and `json_product.py`.
    Memory does not grow with the file: a product is handed on before the next is read. No content of a file raises;
    an `OSError` (no such file, no right to read it) does.
    """
    with Path(path).open("rb") as file:
        source = Source(cast("BinaryIO", file))
        yield from (read_json if _is_json(file.peek(1024)) else read_csv)(source, currency)


def _is_json(start: bytes) -> bool:
    return start.removeprefix(BOM).lstrip()[:1] in (b"[", b"{")
