"""Product files in JSON, read one product at a time: a list, or a list under `products`."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import ijson

from resolvers.catalogue_files.json_product import listing
from resolvers.catalogue_files.rows import Fault, ProductRow, Refusal, Seen, short
from resolvers.catalogue_files.source import Source, Unreadable

_DEPTH = 64
_OPENS, _CLOSES = ("start_map", "start_array"), ("end_map", "end_array")

Event = tuple[str, Any]


def read_json(source: Source, currency: str | None) -> Iterator[ProductRow | Refusal]:
    """Yield products and refusals; a product with any fault is refused whole, each fault by its JSON pointer."""
    place = 0
    with closing(Seen()) as seen:
        try:
            for place, value in enumerate(_products(_events(source), source), start=1):
                yield from _read(place, value, currency, seen)
        except Unreadable as stop:
            yield Refusal(place + 1, None, f"{stop}; nothing from here on was read")
            return
    if place == 0:
        yield Refusal(1, None, 'the file has no products; write a list of them, or {"products": [...]}')


def _read(place: int, value: Any, currency: str | None, seen: Seen) -> Iterator[ProductRow | Refusal]:
    product, faults = listing(value, currency)
    faults = faults or list(_repeated(product, seen))
    if faults:
        yield from (Refusal(place, fault.field, fault.reason) for fault in faults)
        return
    seen.note("product", product["sku"], place)
    for variant in product.get("variants", ()):
        seen.note("variant", variant["sku"], place)
    yield ProductRow(place, (place,), product)


def _repeated(product: dict[str, Any], seen: Seen) -> Iterator[Fault]:
    if before := seen.before("product", product["sku"]):
        yield Fault("/sku", f"{short(product['sku'])} is already that of product {before}")
    here: set[str] = set()
    for at, variant in enumerate(product.get("variants", ())):
        sku = variant["sku"]
        if sku in here:
            yield Fault(f"/variants/{at}/sku", f"{short(sku)} stands in this product twice")
        elif before := seen.before("variant", sku):
            yield Fault(f"/variants/{at}/sku", f"{short(sku)} is already a variant of product {before}")
        here.add(sku)


def _events(source: Source) -> Iterator[Event]:
    """What the parser meets, no deeper than a product can be. Raises `Unreadable`."""
    depth = 0
    try:
        for event, value in ijson.basic_parse(source):
            depth += (event in _OPENS) - (event in _CLOSES)
            if depth > _DEPTH:
                raise Unreadable(f"the JSON is nested more than {_DEPTH} deep")
            yield event, value
    except ijson.JSONError as error:
        what = error.args[0] if error.args else ""
        text = what.decode(errors="replace") if isinstance(what, bytes) else str(what)
        raise Unreadable(f"the file is not JSON ({text.partition(chr(10))[0].rstrip('.')})") from None
    except UnicodeDecodeError:
        raise Unreadable("a \\u escape is half of a character") from None


def _products(events: Iterable[Event], source: Source) -> Iterator[Any]:
    """Each value of the list that the products are in, built and let go; what stands beside it is passed over."""
    opened, home, key = 0, 0, ""  # containers open, how many are between two products, the last key at the top
    builder: ijson.ObjectBuilder | None = None
    for event, value in events:
        opened -= event in _CLOSES
        if home and opened < home:
            home = 0
        elif home:
            builder = builder or ijson.ObjectBuilder()
            builder.event(event, value)
        elif event == "start_array" and (opened == 0 or (opened, key) == (1, "products")):
            home = opened + 1
        elif event == "map_key" and opened == 1:
            key = value
        opened += event in _OPENS
        if builder and opened == home:
            yield builder.value
            builder = None
        if not builder:
            source.mark()
