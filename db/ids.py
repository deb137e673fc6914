"""Identifiers: a prefix that says what it is, and a ULID (https://github.com/ulid/spec) that sorts by creation."""

import re
from typing import Final

from ulid import ULID

# prefix -> the noun it stands for; `node(id:)` and error messages go by it.
PREFIXES: Final = {
    "org": "organization",
    "cli": "client",
    "key": "api_key",
    "usr": "user",
    "sf": "storefront",
    "prd": "product",
    "var": "variant",
    "ord": "order",
    "aff": "affiliate_link",
    "clk": "click",
    "cnv": "conversion",
    "ast": "asset",
    "col": "collection",
    "grt": "grant",
    "tos": "tryon_session",
    "whk": "webhook",
    "evt": "event",
    "dlv": "delivery",
    "ntc": "notice",
    "cns": "consent",
    "aut": "authorization",
    "app": "application",
    "aud": "audit_entry",
    "twc": "twin_consent",
    "msm": "measurement",
    "fit": "fit_preference",
    "kns": "known_size",
    "sce": "size_chart_entry",
    "pky": "passkey",
}
ULID_PATTERN: Final = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
_ID = re.compile(f"({'|'.join(PREFIXES)})_{ULID_PATTERN}")


def new_id(prefix: str) -> str:
    """A fresh id such as `prd_01JD3T8Q5YB9N7K0V2M4XWZC6R`; ids made later sort later (to the millisecond)."""
    return f"{prefix}_{ULID()}"


def noun_of(value: str) -> str | None:
    """The noun that a well-formed id names (`product`), or None where it is no id of ours."""
    match = _ID.fullmatch(value)
    return PREFIXES[match[1]] if match else None


def a_noun(prefix: str) -> str:
    """What an id with this prefix stands for, in words: `an affiliate link`."""
    noun = PREFIXES[prefix].replace("_", " ")
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def is_id(prefix: str, value: str) -> bool:
    """Whether `value` is a well-formed id with this prefix."""
    match = _ID.fullmatch(value)
    return match is not None and match[1] == prefix


# Crockford's digits as those of `int(…, 32)`, which knows the same values by other letters.
_DIGITS = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZ", "0123456789ABCDEFGHIJKLMNOPQRSTUV")


def made_at(value: str) -> float:
    """When an id was made, in seconds since the epoch: the first ten digits of its ULID are milliseconds."""
    start = value.index("_") + 1
    return int(value[start : start + 10].translate(_DIGITS), 32) / 1000
