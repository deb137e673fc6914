"""What changed in the schema since its last release, and which step of the version that asks for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from graphql import build_schema, find_breaking_changes, find_dangerous_changes

RELEASES = Path(__file__).parent / "releases"
Step = Literal["none", "patch", "minor", "major"]


@dataclass(frozen=True)
class Changes:
    """Each change in a sentence. Breaking: a query that worked may fail; careful: it may meet what it did not expect."""

    breaking: tuple[str, ...]
    careful: tuple[str, ...]
    added: tuple[str, ...]
    same: bool

    @property
    def step(self) -> Step:
        """The step that the next version has to make (https://semver.org). Descriptions alone are a patch."""
        if self.breaking:
            return "major"
        if self.careful or self.added:
            return "minor"
        return "none" if self.same else "patch"


def newest_release(folder: Path = RELEASES) -> tuple[str, str]:
    """The last release's version and its SDL."""
    newest = max(folder.glob("*.graphql"), key=lambda file: tuple(map(int, file.stem.split("."))))
    return newest.stem, newest.read_text()


def changes_between(old: str, new: str) -> Changes:
    """What two SDLs differ in. What the way back would remove was added on the way here."""
    before, after = build_schema(old), build_schema(new)
    careful = tuple(change.description for change in find_dangerous_changes(before, after))
    told = {word for sentence in careful for word in sentence.split()}
    back = [
        change.description for change in find_breaking_changes(after, before) if change.type.name.endswith("REMOVED")
    ]
    return Changes(
        breaking=tuple(change.description for change in find_breaking_changes(before, after)),
        careful=careful,
        added=tuple(one.replace("removed", "added") for one in back if told.isdisjoint(one.split()[:-2][-1:])),
        same=old.strip() == new.strip(),
    )
