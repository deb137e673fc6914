"""The bytes of a product file, checked as they pass: UTF-8, and never too many of them for one product."""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

BOM = codecs.BOM_UTF8

# What one product may take of a file: as much as a request may carry, so that no file can hold what REST would refuse.
PRODUCT_BYTES = 1 << 20
_CHUNK = 1 << 16

# Python reads no integer of more than 4,300 digits, and ijson's C parser carries on with the error unseen. Half of such
# a number, where a chunk ends inside it, is found too.
_DIGITS = re.compile(rb"[0-9]{2000}")


class Unreadable(Exception):
    """Nothing can be read from here on, and why."""


class NotUtf8(Unreadable):
    """The byte at `position` of the file belongs to no character."""

    def __init__(self, position: int, byte: int) -> None:
        super().__init__(f"byte {position} (0x{byte:02X}) is not UTF-8; save the file as UTF-8")
        self.position = position


class Source:
    """A file read once, forwards. Call `mark` at the end of each product; `taken` counts the bytes since."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._position = 0
        self._stop: Unreadable | None = None
        self.taken = 0

    def mark(self) -> None:
        """Start counting for the next product."""
        self.taken = 0

    def read(self, size: int = _CHUNK) -> bytes:
        """The next bytes, as a JSON parser asks for them: those before a fault, and then `Unreadable`."""
        if self._stop:
            raise self._stop
        first = self._position == 0
        chunk = self._file.read(size)
        if size and (digits := _DIGITS.search(chunk)):
            self._stop = Unreadable("a number has thousands of digits")
            chunk = chunk[: digits.start()]
        elif size:
            chunk = self._good_part(chunk)
        return chunk.removeprefix(BOM) if first else chunk

    def _good_part(self, chunk: bytes) -> bytes:
        before = self._position
        try:
            self._text(chunk, last=not chunk)
        except NotUtf8 as stop:
            if stop.position <= before:
                raise
            self._stop = stop
            return chunk[: stop.position - before]
        return chunk

    def lines(self) -> Iterator[str]:
        """The lines, ends included. Raises `Unreadable`."""
        while line := self._file.readline(PRODUCT_BYTES + 1):
            first = self._position == 0
            text = self._text(line, last=False)
            yield text.removeprefix("\ufeff") if first else text
        self._text(b"", last=True)

    def _text(self, chunk: bytes, *, last: bool) -> str:
        try:
            text = self._decoder.decode(chunk, last)
        except UnicodeDecodeError as error:
            # The decoder holds back the beginning of a character that the chunk before cut in two.
            at = self._position + len(chunk) - len(error.object) + error.start
            raise NotUtf8(at, error.object[error.start]) from None
        self._position += len(chunk)
        self.taken += len(chunk)
        if self.taken > PRODUCT_BYTES + _CHUNK:
            raise Unreadable(f"one product takes more than {PRODUCT_BYTES} bytes; is a quote or a bracket left open?")
        return text
