"""What execution refuses before anything runs."""

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
