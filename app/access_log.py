"""The access log: one JSON object a line, gathered for a moment and written together."""

import asyncio
from typing import BinaryIO, Final

PATIENCE: Final = 0.1  # seconds that a line may wait for company


class AccessLog:
    """Lines of one process on one stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        """Takes a line with its end; it is on the stream within a tenth of a second."""
        if not self._lines:
            asyncio.get_running_loop().call_later(PATIENCE, self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        """Writes what is waiting."""
        if self._lines:
            data, self._lines = b"".join(self._lines), []
            self._stream.write(data)
            self._stream.flush()
