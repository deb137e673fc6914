"""What both kinds of product file share: the two things a row can become, and the rules for money and SKUs."""

import re
import sqlite3
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_SKU_LENGTH = 128


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product, ready to upsert.

    `row` is where it begins and `rows` all that it was made of: in a CSV the row of the spreadsheet (the header is row
    1, however many lines a quoted cell spans), in JSON the place in the list (the first product is 1). `product` is a
    body of `POST /v1/storefronts/{id}/products`: JSON values only; what the file leaves out is left out.
    """

    row: int
    rows: tuple[int, ...]
    product: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken, or not whole.

    `field` is the column as the file spells it or a JSON pointer (RFC 6901) into the product; None is all of the row.
    """

    row: int
    field: str | None
    reason: str


class Fault(Exception):
    """What is wrong with one field; becomes a `Refusal`."""

    def __init__(self, field: str | None, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


class Seen:
    """Which names the file has used, and where first.

    Kept in SQLite's temporary database, which spills to disk: a set of a million SKUs would take 100 MB.
    """

    def __init__(self) -> None:
        # A generator may be stepped from several threads, one after the other; never from two at once.
        self._rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._rows.execute("PRAGMA journal_mode = OFF")
        self._rows.execute("PRAGMA cache_size = -12000")
        self._rows.execute("CREATE TABLE seen (kind, name, row, PRIMARY KEY (kind, name)) WITHOUT ROWID")
        self._rows.execute("BEGIN")

    def before(self, kind: str, name: str) -> int | None:
        """The row that used this name first, None where none has."""
        found = self._rows.execute("SELECT row FROM seen WHERE kind = ? AND name = ?", (kind, name)).fetchone()
        return found[0] if found else None

    def note(self, kind: str, name: str, row: int) -> None:
        """Remember a name; the first row to use it stays."""
        self._rows.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (kind, name, row))

    def close(self) -> None:
        """Give the temporary file back."""
        self._rows.close()


def money(amount: str, currency: str | None, *, at: str, currency_at: str) -> dict[str, str]:
    """`{"amount", "currency"}` as the file writes it; whether the currency has such decimals is for the upsert to say.

    `at` and `currency_at` are the fields that a `Fault` names.
    """
    if not _NUMBER.fullmatch(amount):
        raise Fault(at, f"{short(amount)} is not a price; write digits with a point, such as 1299.00")
    if amount.startswith("-"):
        raise Fault(at, f"{short(amount)} is below zero; a price is 0 or more")
    if not currency:
        raise Fault(currency_at, "the price has no currency; give it in the file, or one for the whole import")
    if not _CURRENCY.fullmatch(currency):
        raise Fault(currency_at, f"{short(currency)} is not a currency; write its three letters, such as EUR")
    return {"amount": amount, "currency": currency.upper()}


def derived_sku(product_sku: str, options: dict[str, str]) -> str:
    """A SKU for a variant without one, the same at every import: the product's own, then the option values."""
    words = [_BETWEEN_WORDS.sub("-", value.casefold()).strip("-") for value in options.values()]
    sku = "-".join([product_sku, *filter(None, words)])
    if len(sku) <= _SKU_LENGTH:
        return sku
    digest = blake2b(sku.encode(), digest_size=8).hexdigest()
    return f"{sku[: _SKU_LENGTH - 17]}-{digest}"


def short(value: object) -> str:
    """A value as a message may quote it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
