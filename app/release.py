"""The law of releases: what may change, at which version step, and after which notice; and the writing of the next one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from app import changelog
from app.releases import Release, ReleaseFolder, current, differences, ended_by, parts_of, same_texts
from db.deprecation import NOTICE
from resolvers.releases import Change, Step, step_of

_VERSION: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


class NoRelease(Exception):
    """The release is refused; `faults` say why, one line each."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Repository:
    """Where the files of a release stand."""

    root: Path

    @property
    def folder(self) -> ReleaseFolder:
        """The releases."""
        return ReleaseFolder(self.root / "schema" / "releases")

    @property
    def changelog(self) -> Path:
        """The changelog."""
        return self.root / "CHANGELOG.md"

    @property
    def project(self) -> Path:
        """The project's description, which has the version too."""
        return self.root / "pyproject.toml"


@dataclass(frozen=True)
class Judgement:
    """What runs, held against the last release (a draft, where nothing was released), and what is wrong with it."""

    base: Release
    changes: tuple[Change, ...]
    step: Step
    faults: tuple[str, ...]


def judge(repository: Repository, today: date) -> Judgement:
    """Judges what runs today. Additions are never wrong; they ask for a step."""
    folder, text = repository.folder, repository.changelog.read_text()
    published = folder.published()
    base = published[-1] if published else folder.newest()
    changes = differences(base, current())
    faults = [
        *_broken(base, changes, ended_by(published, today)),
        *_brought_forward(base),
        *_dates(published, text),
        *changelog.preview_faults(text, _previews()),
    ]
    return Judgement(base, changes, step_of(changes, same=same_texts(base, current())), tuple(faults))


def _broken(base: Release, changes: tuple[Change, ...], ended: frozenset[str]) -> Iterator[str]:
    from rest_facade import changes as rest
    from schema import changes as graphql

    ours = [change for change in changes if change.surface == "graphql"]
    theirs = [change for change in changes if change.surface == "rest"]
    advice = (
        f"it must be deprecated in a release, with replacement and sunset, {NOTICE.days} days before"
        if base.day is not None
        else f"{base.version} is a draft: write it anew with ./fshnista schema release {base.version} --draft"
    )
    for change in [*graphql.unannounced(base.sdl, ours, ended), *rest.unannounced(theirs, ended)]:
        yield f"{change.message} This breaks {base.version}; {advice}"


def _brought_forward(base: Release) -> Iterator[str]:
    for at, mark in current().deprecations.items():
        before = base.deprecations.get(at)
        if base.day is not None and before is not None and mark.sunset < before.sunset:
            yield f"the sunset of `{at}` is {mark.sunset}; {base.version} promised {before.sunset}, and it may only be later"


def _dates(published: list[Release], text: str) -> Iterator[str]:
    for release in published:
        told = changelog.day_of(text, release.version)
        if told != str(release.day):
            yield f"CHANGELOG.md gives {release.version} the day {told}; its own file says {release.day}"


def _previews() -> dict[str, str]:
    from schema.build import open_previews

    return {name: found.mark.until for name, found in open_previews().items()}


def write_draft(repository: Repository, version: str) -> None:
    """Keeps what runs as a draft of this version; NoRelease where it was released already, or another draft stands."""
    _check_version(repository.folder, version)
    repository.folder.write(version, None)


def write_release(repository: Repository, version: str, today: date) -> None:
    """Writes a release: both documents, its entry in the changelog, the project's version. NoRelease where the law forbids it."""
    folder = repository.folder
    _check_version(folder, version)
    judgement = judge(repository, today)
    published = folder.published()
    faults = list(judgement.faults) if published else []
    faults += [*_too_small(judgement, version)] if published else []
    faults += _short_notices(judgement, today)
    if faults:
        raise NoRelease(*faults)
    made = changelog.notes(judgement.changes) if published else {}
    text = changelog.released(repository.changelog.read_text(), version, today, made)
    folder.write(version, today)
    repository.changelog.write_text(text)
    project = re.sub(
        r'^version = ".*"$', f'version = "{version}"', repository.project.read_text(), count=1, flags=re.MULTILINE
    )
    repository.project.write_text(project)


def _check_version(folder: ReleaseFolder, version: str) -> None:
    if not _VERSION.fullmatch(version):
        raise NoRelease(f"{version!r} is no version; it must be major.minor.patch, such as 1.2.0")
    there = folder.versions()[:-1]
    days = {known: folder.release(known).day for known in there}
    if days.get(version) is not None:
        raise NoRelease(f"{version} was released on {days[version]}; a release is never written anew")
    drafts = [known for known, day in days.items() if day is None and known != version]
    if drafts:
        raise NoRelease(f"{drafts[0]} is a draft; release it first")
    if there and parts_of(version) < parts_of(there[-1]):
        raise NoRelease(f"{version} is older than {there[-1]}")


def _too_small(judgement: Judgement, version: str) -> Iterator[str]:
    base = parts_of(judgement.base.version)
    least = {
        "major": (base[0] + 1, 0, 0),
        "minor": (base[0], base[1] + 1, 0),
        "patch": (base[0], base[1], base[2] + 1),
        "none": base,
    }[judgement.step]
    if parts_of(version) < least:
        told = ".".join(map(str, least))
        yield f"these changes need a {judgement.step} step: {told} or later, not {version}"
    if judgement.step == "none":
        yield f"nothing changed since {judgement.base.version}"


def _short_notices(judgement: Judgement, today: date) -> list[str]:
    known = judgement.base.deprecations if judgement.base.day is not None else {}
    return [
        f"the sunset of `{at}` is {mark.sunset}; this release announces it, so it may be {today + NOTICE} at the earliest"
        for at, mark in current().deprecations.items()
        if at not in known and mark.sunset < today + NOTICE
    ]
