"""Where an affiliate link leads, and how a click's id travels there."""

import re
from typing import Any, Final
from urllib.parse import quote, urlsplit

from pydantic import HttpUrl, TypeAdapter, ValidationError

from db.tables import Product, Storefront

CLICK: Final = "fsh_click"
_LONGEST = 2048
_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")  # RFC 3986, section 2
_ADDRESS: Final = TypeAdapter(HttpUrl)


def web_address(value: str) -> str:
    """The address as it can stand in a Location header: as it was given, or with everything beyond ASCII encoded.

    ValueError where it is no http or https address of a host, or hides its host behind a user name.
    """
    try:
        parsed = _ADDRESS.validate_python(value)
    except ValidationError:
        raise ValueError("must be a web address with a host, such as https://example.com/coat") from None
    if parsed.username is not None or parsed.password is not None:
        raise ValueError("must not contain a user name or password")
    address = value if _URI.fullmatch(value) and urlsplit(value).hostname == parsed.host else str(parsed)
    if len(address) > _LONGEST:
        raise ValueError(f"must not be longer than {_LONGEST} characters")
    return address


def of_product(product: Product, storefront: Storefront, shop_url: str) -> str:
    """Where the product is sold: its own address, its storefront's, or its place in the platform's shop."""
    own = _named(product.extra) or _named(storefront.extra)
    return own or f"{shop_url}/{quote(storefront.handle, safe='@')}/{quote(product.sku, safe='')}"


def _named(metadata: dict[str, Any]) -> str | None:
    """The address under `url`, where it is one of https."""
    value = metadata.get("url")
    if not isinstance(value, str) or not value.startswith("https://"):
        return None
    try:
        return web_address(value)
    except ValueError:
        return None


def with_click(address: str, click_id: str) -> str:
    """The address with the click's id in its query, and otherwise untouched; an id that it bore already makes way."""
    rest, hash_sign, fragment = address.partition("#")
    path, mark, query = rest.partition("?")
    kept = [part for part in query.split("&") if part.partition("=")[0] != CLICK] if mark else []
    kept = [*kept, f"{CLICK}={click_id}"] if kept != [""] else [f"{CLICK}={click_id}"]
    return f"{path}?{'&'.join(kept)}{hash_sign}{fragment}"
