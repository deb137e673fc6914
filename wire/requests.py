"""What comes in."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.types import Receive

from resolvers.errors import Fault, Invalid, TooLarge
from wire.errors import HttpError

LARGEST_BODY = 1_048_576


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
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise HttpError(400, "bad_json", f"The body is not JSON: {error}.") from None
