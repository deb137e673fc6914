"""The releases that there were: what each said of both surfaces, when it came, and what differs between any two."""

from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import orjson

from app.settings import ROOT
from db.deprecation import NOTICE, Deprecation
from resolvers.releases import NEXT, Change

FOLDER: Final = ROOT / "schema" / "releases"
_OPENAPI = ".openapi.json"
RELEASED = "x-released"  # in `info` of a release's OpenAPI document; a draft has none


@dataclass(frozen=True, eq=False)
class Release:
    """One version of both surfaces. `day` is that of its release; None for a draft, and for what runs now."""

    version: str
    sdl: str = field(repr=False)
    openapi: dict[str, Any] = field(repr=False)
    day: date | None

    @cached_property
    def deprecations(self) -> dict[str, Deprecation]:
        """What it announces the end of, by coordinate of either surface."""
        from graphql import build_schema

        from rest_facade.changes import deprecations_of
        from schema.deprecations import read_deprecations

        return read_deprecations(build_schema(self.sdl)) | deprecations_of(self.openapi)


class ReleaseFolder:
    """`schema/releases/`: an SDL and an OpenAPI document for each version."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._kept: dict[str, Release] = {}

    def versions(self) -> list[str]:
        """From the oldest to the newest; after them, `next`, which is what runs."""
        stems = (file.name.removesuffix(_OPENAPI) for file in self._folder.glob(f"*{_OPENAPI}"))
        return [*sorted(stems, key=parts_of), NEXT]

    def release(self, version: str) -> Release:
        """One of them."""
        if version not in self._kept:
            self._kept[version] = current() if version == NEXT else self._read(version)
        return self._kept[version]

    def newest(self) -> Release:
        """The last one, be it a draft."""
        return self.release(self.versions()[-2])

    def published(self) -> list[Release]:
        """Those with a date, from the oldest to the newest."""
        return [one for version in self.versions()[:-1] if (one := self.release(version)).day is not None]

    def changes(self, old: str, new: str) -> tuple[Change, ...]:
        """What differs between two of the versions."""
        return differences(self.release(old), self.release(new))

    def deprecated(self, version: str) -> tuple[Change, ...]:
        """Everything that is deprecated in a version."""
        from rest_facade import changes as rest
        from schema import changes as graphql

        told = self.release(version).deprecations.items()
        return tuple((rest if " " in at else graphql).deprecation_change(at, mark) for at, mark in told)

    def write(self, version: str, day: date | None) -> None:
        """Keeps what runs as this version; without a day, as a draft."""
        now = current()
        document = {**now.openapi, "info": {**now.openapi["info"], "version": version}}
        if day is not None:
            document["info"][RELEASED] = day.isoformat()
        text = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
        (self._folder / f"{version}.graphql").write_text(now.sdl)
        (self._folder / f"{version}{_OPENAPI}").write_bytes(text)
        self._kept.clear()

    def _read(self, version: str) -> Release:
        document = orjson.loads((self._folder / f"{version}{_OPENAPI}").read_bytes())
        day = document["info"].get(RELEASED)
        sdl = (self._folder / f"{version}.graphql").read_text()
        return Release(version, sdl, document, date.fromisoformat(day) if day else None)


def newest_version() -> str:
    """The version that this program serves: the newest release's."""
    return ReleaseFolder().versions()[-2]


def parts_of(version: str) -> tuple[int, ...]:
    """A version as numbers, to be ordered by."""
    return tuple(map(int, version.split(".")))


@cache
def current() -> Release:
    """What runs: its OpenAPI document without the address of any server."""
    from rest_facade.openapi import document
    from schema.build import build_schema

    told = document(url="", version=NEXT)
    del told["servers"]
    openapi = orjson.loads(orjson.dumps(told))
    return Release(NEXT, f"{build_schema().as_str()}\n", openapi, None)


@cache
def differences(old: Release, new: Release) -> tuple[Change, ...]:
    """What differs on both surfaces."""
    from rest_facade import changes as rest
    from schema import changes as graphql

    return graphql.changes_between(old.sdl, new.sdl) + rest.changes_between(old.openapi, new.openapi)


def same_texts(old: Release, new: Release) -> bool:
    """Whether the two differ in nothing at all, descriptions included."""
    bare = [{**one.openapi, "info": None} for one in (old, new)]
    return old.sdl == new.sdl and bare[0] == bare[1]


def ended_by(releases: list[Release], today: date) -> frozenset[str]:
    """What may go today: announced by the last release, its sunset come, and 90 days past since the first of the releases in
    an unbroken row that announced it. A sunset that was told once is not brought forward: the latest of them counts."""
    if not releases:
        return frozenset()
    marks = [release.deprecations for release in reversed(releases)]
    days = [release.day for release in reversed(releases)]
    return frozenset(at for at in marks[0] if _has_ended(at, marks, days, today))


def _has_ended(at: str, marks: list[dict[str, Deprecation]], days: list[date | None], today: date) -> bool:
    row = []
    for told, day in zip(marks, days, strict=True):
        if at not in told:
            break
        row.append((told[at], day))
    first = row[-1][1]
    return first is not None and first + NOTICE <= today and max(mark.sunset for mark, _ in row) <= today
