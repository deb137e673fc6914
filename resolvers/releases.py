"""The releases of the API as the domain knows them: their versions, and what changed from one to another."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from db.deprecation import Deprecation

Kind = Literal["breaking", "careful", "deprecated", "added"]
Step = Literal["none", "patch", "minor", "major"]
NEXT = "next"


@dataclass(frozen=True)
class Change:
    """One change, in words for a partner.

    `breaking`: a request that worked may fail; `careful`: it may meet what it did not expect; `deprecated`: it still works and will end.
    `keys`: whoever used one of these coordinates is touched; `within`: coordinates whose served notice allows the change.
    """

    surface: Literal["graphql", "rest"]
    kind: Kind
    coordinate: str
    message: str
    keys: frozenset[str] = frozenset()
    within: tuple[str, ...] = ()
    deprecation: Deprecation | None = None


def step_of(changes: Iterable[Change], *, same: bool = True) -> Step:
    """The step that the next version has to make (https://semver.org). Where no text is the `same`, a patch at least."""
    kinds = {change.kind for change in changes}
    if "breaking" in kinds:
        return "major"
    if kinds:
        return "minor"
    return "none" if same else "patch"


class Releases(Protocol):
    """The releases that there were, and what differs between them on both surfaces."""

    def versions(self) -> list[str]:
        """From the oldest to the newest; after them, `next`, which is what runs."""

    def changes(self, old: str, new: str) -> tuple[Change, ...]:
        """What differs between two of the versions."""

    def deprecated(self, version: str) -> tuple[Change, ...]:
        """Everything that is deprecated in a version, whenever it was marked."""
