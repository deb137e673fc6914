"""What comes in."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.types import Receive

from resolvers.errors import Fault, Invalid, TooLarge
from wire.errors import HttpError

LARGEST_BODY = 1_048_576
DEEPEST = 64


def idempotency_key(headers: Mapping[bytes, bytes]) -> str | None:
    """The caller's idempotency key, where it sent one."""
    value = headers.get(b"idempotency-key")
    if value is None:
        return None
    key = value.decode("latin-1")
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise Invalid(Fault("", "the header Idempotency-Key must have 1 to 255 printable characters"))
    return key


async def read_body(receive: Receive, largest: int = LARGEST_BODY) -> bytes:
    """The whole body, or TooLarge as soon as it passes the limit."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body") and len(body) <= largest:
        message = await receive()
        body += message.get("body", b"")
    if len(body) > largest:
        raise TooLarge(f"The body is larger than {largest} bytes.")
    return body


def parse_json(body: bytes, headers: Mapping[bytes, bytes]) -> Any:
    """The body as JSON; 415 for another media type, 400 for what is no JSON."""
    media = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if media != b"application/json" and not (media.startswith(b"application/") and media.endswith(b"+json")):
        raise HttpError(415, "unsupported_media_type", "Send the body as Content-Type: application/json.")
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise HttpError(415, "unsupported_media_type", "Send the body as it is, without a Content-Encoding.")
    return read_json(body)


def read_json(text: bytes | str) -> Any:
    """JSON (RFC 8259), held to what I-JSON asks for (RFC 7493: no name twice) and to a depth; 400 for anything else."""
    try:
        value = orjson.loads(text)
        if _depth_is_at_most(DEEPEST, value):
            json.loads(text, object_pairs_hook=_unique, parse_int=str, parse_float=str)
            return value
    except ValueError as error:
        raise HttpError(400, "bad_json", f"The body is not JSON that is taken here: {error}.") from None
    raise HttpError(400, "bad_json", f"The JSON is nested deeper than {DEEPEST}.")


def _depth_is_at_most(deepest: int, value: Any) -> bool:
    level = [value]
    for _ in range(deepest + 1):
        level = [inner for item in level if isinstance(item, dict | list) for inner in _inside(item)]
        if not level:
            return True
    return False


def _inside(item: dict[str, Any] | list[Any]) -> Any:
    return item.values() if isinstance(item, dict) else item


def _unique(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise ValueError(f"the name {json.dumps(twice[:100])} stands twice in one object")
