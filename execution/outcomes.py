"""What comes of an operation."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """What came of it. `data` is JSON, or None where nothing ran; `cost` None where there was nothing to measure."""

    data: bytes | None
    errors: list[Exception]
    cost: int | None = None
    kind: str = "query"
