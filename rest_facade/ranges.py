"""Parts of a file (RFC 9110 section 14): one range of bytes at a time."""

import re
from collections.abc import Mapping

from wire.errors import HttpError

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def range_of(headers: Mapping[bytes, bytes], size: int, tag: str) -> tuple[int, int] | None:
    """The part that is asked for, as start and end (exclusive); None for the whole.

    What cannot be read as one range means the whole, as does an `If-Range` of another version. 416 where it lies beyond the end.
    """
    asked = _RANGE.fullmatch(headers.get(b"range", b"").decode("latin-1").strip())
    if asked is None or asked[0] == "bytes=-" or headers.get(b"if-range", tag.encode()) != tag.encode():
        return None
    first, last = asked.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1, size) if first and last else size
    if first and last and int(last) < int(first):
        return None
    if start >= size:
        message = f"The file has {size} bytes; the range begins behind them."
        raise HttpError(416, "range_not_satisfiable", message, {"content-range": f"bytes */{size}"})
    return start, end
