"""What a partner says of a try-on session."""

import re
from ipaddress import ip_address
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, WithJsonSchema

from resolvers.inputs import ABSENT, IdOf, Input, ShortLine

# Letters, digits, dots and hyphens, or an IPv6 address in brackets: nothing that could say more in a header.
_ORIGIN: Final = re.compile(r"https?://([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\])(:[1-9]\d{0,4})?")
USE_CASE: Final = "^[a-z][a-z0-9_]{0,63}$"


def _origin(value: str) -> str:
    origin = value.lower()
    if not _ORIGIN.fullmatch(origin) or ".." in origin or not _reads(origin):
        raise ValueError("must be the bare origin of a site, such as https://shop.example.com, without a path")
    return origin


def _reads(origin: str) -> bool:
    """Whether the host in brackets is an address, and the port one that exists."""
    try:
        return urlsplit(origin).port != 0
    except ValueError:
        return False


def is_loopback(origin: str) -> bool:
    """Whether a site is on the shopper's own machine."""
    host = urlsplit(origin).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _consent(value: bool) -> bool:
    if not value:
        raise ValueError("must be true: the shopper has to agree before a try-on is opened")
    return value


class TryonSessionInput(Input):
    """A new session. `subject` is the partner's own name for the shopper: never an e-mail address or a name."""

    product_id: IdOf("prd")  # type: ignore[valid-type]
    variant_id: IdOf("var") = ABSENT  # type: ignore[valid-type]
    use_case: Annotated[str, Field(pattern=USE_CASE, examples=["product_page"])]
    origin: Annotated[
        str,
        Field(max_length=300),
        AfterValidator(_origin),
        WithJsonSchema({"type": "string", "maxLength": 300, "example": "https://shop.example.com"}),
    ]
    subject: ShortLine = ABSENT
    ttl_seconds: Annotated[int, Field(ge=60, le=3600)] = 900
    consent: Annotated[bool, AfterValidator(_consent), WithJsonSchema({"type": "boolean", "enum": [True]})]
