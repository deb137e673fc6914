"""What execution refuses before anything runs, and what it leaves to the ordinary executor."""

from typing import Any


class Refused(Exception):
    """The document asks for more than one may. `message` says what and what would pass."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class CostLimit(Refused):
    """Over the cost limit; `cost` names the requested cost, the limit, the costliest path and a page size that passes."""

    def __init__(self, message: str, cost: dict[str, Any]) -> None:
        super().__init__(message)
        self.cost = cost


class Unplanned(Exception):
    """Not for SQL: the ordinary executor answers the whole operation. `reason` is counted in the metrics."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Resolved(Unplanned):
    """A field that its own resolver must answer; what stands around it can still be planned."""
