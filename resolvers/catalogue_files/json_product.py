"""One product of a JSON file as an upsert body: REST's own spelling, and those of other shops' exports.

| field | also read as |
|---|---|
| `sku` | `handle`, `slug` |
| `title` | `name` |
| `description` | `body_html` (HTML becomes text) |
| `category` | `product_type` |
| `price`: money, text, number | `prices`: `[{"currency", "amount" or "price"}]`: in the import's currency or first |
| `media`: `[{"url", "alt"}]` | `images`: `[{"src", "alt"}]` or addresses; a bare file name goes to `metadata.images` |
| a variant's `options` | its `attributes`; `option1` to `option3`, named by the product's `options` |
| a variant's `inventory` | `stock`, `inventory_quantity` |

A product without a price takes its first variant's. `attributes`, `vendor` and `tags` go to `metadata`. Other fields
are left alone.
"""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from resolvers.catalogue_files.html_text import plain_text
from resolvers.catalogue_files.rows import Fault, derived_sku, money, short

Object = dict[str, Any]

_WEB = ("https://", "http://")
_ENDLESS = (math.inf, -math.inf)


def listing(value: Any, currency: str | None) -> tuple[Object, list[Fault]]:
    """The body, and all that is wrong with it; the body is of use only where nothing is."""
    if not isinstance(value, dict):
        return {}, [Fault(None, f"{short(value)} is not a product; write an object")]
    shape = _Shape(currency)
    return shape.product(value), shape.faults


class _Shape:
    """One product being read. What cannot be read is noted in `faults` and left out: every fault is named at once."""

    def __init__(self, currency: str | None) -> None:
        self.faults: list[Fault] = []
        self._currency = currency

    def product(self, given: Object) -> Object:
        """The upsert body."""
        sku = self._text(given, "", "sku", "handle", "slug")
        title = self._text(given, "", "title", "name")
        media, file_names = self._media(given)
        variants = self._variants(given, sku or "")
        optional = {
            "description": self._description(given),
            "category": self._text(given, "", "category", "product_type"),
            "status": self._text(given, "", "status"),
            "visibility": self._text(given, "", "visibility"),
            "metadata": self._metadata(given, file_names),
        }
        for name, value in (("/sku", sku), ("/title", title)):
            if not value:
                self._note(name, "a product must have one")
        body = {"sku": sku, "title": title, **{name: value for name, value in optional.items() if value}}
        # An empty list says that there are none; no list says nothing.
        lists = {"media": media} if media or given.get("media") == [] else {}
        lists |= {"variants": variants} if variants or given.get("variants") == [] else {}
        return {**body, "price": self._product_price(given, variants), **lists}

    def _product_price(self, given: Object, variants: list[Object]) -> Object:
        price = self._price(given, "")
        prices = [price] if price else [variant["price"] for variant in variants if "price" in variant]
        if not prices and not any(fault.field and "price" in fault.field for fault in self.faults):
            self._note("/price", "neither the product nor any of its variants has a price")
        return prices[0] if prices else {}

    def _description(self, given: Object) -> str | None:
        markup = self._text(given, "", "body_html")
        return self._text(given, "", "description") or (plain_text(markup) if markup else None)

    def _variants(self, given: Object, product_sku: str) -> list[Object]:
        names = [self._text(option, "/options", "name") or "" for option in _objects(given.get("options"))]
        variants = []
        for at, value in self._each(given, "", "variants"):
            if not isinstance(value, dict):
                self._note(at, f"{short(value)} is not a variant; write an object")
                continue
            variants.append(self._variant(value, at, names, product_sku))
        return variants

    def _variant(self, given: Object, at: str, option_names: list[str], product_sku: str) -> Object:
        options = self._options(given, at, option_names)
        sku = self._text(given, at, "sku") or derived_sku(product_sku, options)
        variant: Object = {"sku": sku, "options": options}
        if price := self._price(given, at):
            variant["price"] = price
        name, pieces = _first(given, "inventory", "stock", "inventory_quantity")
        if isinstance(pieces, bool) or not isinstance(pieces, int | None):
            self._note(f"{at}/{name}", f"{short(pieces)} is not a number of pieces; write a whole number")
        elif pieces is not None:
            variant["inventory"] = pieces
        return variant

    def _options(self, given: Object, at: str, names: list[str]) -> dict[str, str]:
        own = given.get("options")
        if isinstance(own, dict):
            pairs = list(own.items())
        elif own:
            pairs = [(option.get("name"), option.get("value")) for option in _objects(own)]
        else:
            numbered = [(name.casefold(), given.get(f"option{n}")) for n, name in enumerate(names, start=1)]
            pairs = [*_lower(given.get("attributes")), *numbered]
        texts = ((str(name), self._option(value, f"{at}/options/{_pointer(name)}")) for name, value in pairs)
        return {name: text for name, text in texts if text and (name, text) != ("title", "Default Title")}

    def _option(self, value: Any, at: str) -> str:
        values = value if isinstance(value, list) else [value]
        if any(isinstance(one, bool) or not isinstance(one, str | int | Decimal | None) for one in values):
            self._note(at, f"{short(value)} is not the value of an option; write text")
            return ""
        return ", ".join(str(one).strip() for one in values if one is not None)

    def _price(self, given: Object, at: str) -> Object | None:
        name, value = _first(given, "price", "prices")
        at = f"{at}/{name}"
        currency = given.get("currency") or self._currency
        if isinstance(value, list):
            at, value = self._chosen(value, at)
        if isinstance(value, dict):
            currency = value.get("currency") or currency
            name, value = _first(value, "amount", "price")
            at = f"{at}/{name}"
        if value is None:
            return None
        currency_at = f"{at.rpartition('/')[0]}/currency"
        try:
            return money(_amount(value, at), _plain(currency, currency_at), at=at, currency_at=currency_at)
        except Fault as fault:
            self.faults.append(fault)
            return None

    def _chosen(self, prices: list[Any], at: str) -> tuple[str, Any]:
        """Of prices in several currencies the one in the import's, or the first."""
        found = [(f"{at}/{n}", price) for n, price in enumerate(prices) if isinstance(price, dict)]
        wanted = [(place, price) for place, price in found if price.get("currency") == self._currency]
        return next(iter(wanted or found), (at, None))

    def _media(self, given: Object) -> tuple[list[Object], list[str]]:
        """Pictures that have an address, and the names of those that have none."""
        media, file_names = [], []
        name, _ = _first(given, "media", "images")
        for at, value in self._each(given, "", name):
            picture = value if isinstance(value, dict) else {"url": value}
            url = self._text(picture, at, "url", "src")
            if not url:
                self._note(at, f"{short(value)} has no address")
            elif name == "images" and not url.startswith(_WEB):
                file_names.append(url)
            else:
                media.append({"url": url, "alt": self._text(picture, at, "alt") or ""})
        return media, file_names

    def _metadata(self, given: Object, file_names: list[str]) -> Object:
        metadata = {} if given.get("metadata") is None else given["metadata"]
        if not isinstance(metadata, dict):
            self._note("/metadata", f"{short(metadata)} is not an object")
            return {}
        beside = dict(_lower(given.get("attributes")))
        beside |= {name: given[name] for name in ("vendor", "tags") if given.get(name)}
        if file_names:
            beside["images"] = file_names
        return {name: self._json(value, f"/metadata/{_pointer(name)}") for name, value in (beside | metadata).items()}

    def _json(self, value: Any, at: str) -> Any:
        """The value without decimals, which JSON has no use for; what 64 bits cannot hold is a fault."""
        if isinstance(value, dict):
            return {name: self._json(inner, f"{at}/{_pointer(name)}") for name, inner in value.items()}
        if isinstance(value, list):
            return [self._json(inner, f"{at}/{n}") for n, inner in enumerate(value)]
        if isinstance(value, Decimal):
            value = float(value)
        if value in _ENDLESS or (isinstance(value, int) and not -(2**63) <= value < 2**63):
            self._note(at, "the number is too large to keep")
            return None
        return value

    def _each(self, given: Object, at: str, name: str) -> Iterator[tuple[str, Any]]:
        values = [] if given.get(name) is None else given[name]
        if not isinstance(values, list):
            self._note(f"{at}/{name}", f"{short(values)} is not a list")
            return
        for n, value in enumerate(values):
            yield f"{at}/{name}/{n}", value

    def _text(self, given: Object, at: str, *names: str) -> str | None:
        name, value = _first(given, *names)
        if value is None:
            return None
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        self._note(f"{at}/{name}", f"{short(value)} is not text")
        return None

    def _note(self, at: str, reason: str) -> None:
        self.faults.append(Fault(at, reason))


def _first(given: Object, *names: str) -> tuple[str, Any]:
    """The first of these fields that is there and not null; else the first name and None."""
    return next(((name, given[name]) for name in names if given.get(name) is not None), (names[0], None))


def _amount(value: Any, at: str) -> str:
    if isinstance(value, Decimal) and abs(value.adjusted()) < 30:
        return f"{value:f}"
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value).strip()
    raise Fault(at, f'{short(value)} is not a price; write {{"amount": "29.00", "currency": "EUR"}}')


def _plain(currency: Any, at: str) -> str | None:
    if currency is None or isinstance(currency, str):
        return currency
    raise Fault(at, f"{short(currency)} is not a currency; write its three letters, such as EUR")


def _objects(values: Any) -> list[Object]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _lower(attributes: Any) -> list[tuple[str, Any]]:
    return [(name.casefold(), value) for name, value in attributes.items()] if isinstance(attributes, dict) else []


def _pointer(name: Any) -> str:
    """A name as one step of a JSON pointer (RFC 6901)."""
    return str(name).replace("~", "~0").replace("/", "~1")
