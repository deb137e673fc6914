"""`CHANGELOG.md` (https://keepachangelog.com/en/1.1.0/): what releases write into it, and what of it is held to the code."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from resolvers.releases import Change

GROUPS: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
_SURFACES: Final = {"graphql": "GraphQL", "rest": "REST"}
_SECTION: Final = re.compile(r"^## \[([^\]]+)\](?: - (\S+))?[^\n]*\n", re.MULTILINE)
_PLACE: Final = re.compile(r"^(?P<operation>\S+ \S+) (?P<side>\S+) (?:/data/\*)?(?P<pointer>/\S+)$")
_PREVIEW: Final = re.compile(
    r"^- Preview `(\w+)`(?: opens, until| is extended to) (\d{4}-\d\d-\d\d)(: \S.*)?", re.MULTILINE
)


def notes(changes: Iterable[Change]) -> dict[str, list[str]]:
    """Sentences for partners by group. One and the same change of many answers is told once."""
    found: dict[str, dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for change in changes:
        told, side, operation = _told(change)
        operations = found[_group(change)][f"{_SURFACES[change.surface]}: {told}", side]
        operations += [operation] if operation else []
    return {
        group: [_sentence(told, side, operations) for (told, side), operations in sentences.items()]
        for group, sentences in found.items()
    }


def _told(change: Change) -> tuple[str, str, str]:
    """The sentence and, for a place in what REST takes or gives, of what it is a place and of which operation."""
    place = _PLACE.match(change.coordinate) if change.surface == "rest" else None
    if place is None:
        return change.message, "", ""
    event = f"what is posted for `{place['side']}` by"
    side = "the body of" if place["side"] == "body" else event if "." in place["side"] else "the answer of"
    return change.message.replace(change.coordinate, place["pointer"], 1), side, place["operation"]


def _group(change: Change) -> str:
    if change.kind == "breaking":
        return "Removed" if " is gone" in change.message else "Changed"
    if change.kind == "deprecated":
        return "Deprecated"
    return "Added" if change.kind == "added" or change.message.endswith("is new.") else "Changed"


def _sentence(told: str, side: str, operations: list[str]) -> str:
    if not operations:
        return f"- {told}"
    where = ", ".join(f"`{operation}`" for operation in dict.fromkeys(operations))
    return f"- {told} In {side} {where}."


def released(text: str, version: str, day: date, made: Mapping[str, list[str]]) -> str:
    """The changelog with a release: what stood under Unreleased, by hand, and what was `made` from the difference."""
    sections = _sections(text)
    head = text[: text.index("## [")]
    by_hand = _groups(sections.pop("Unreleased", ("", ""))[1])
    drafted = _groups(sections.pop(version, ("", ""))[1])
    merged = _merged(drafted, _merged(by_hand, made))
    body = "\n\n".join(
        [
            f"### {name}\n\n" + "\n".join(merged[name]) if name else "\n".join(merged[name])
            for name in merged
            if merged[name]
        ]
    )
    older = "".join(f"{heading}{told}" for heading, told in sections.values())
    return f"{head}## [Unreleased]\n\n## [{version}] - {day}\n\n{body}\n" + (f"\n{older}" if older else "")


def _merged(first: Mapping[str, list[str]], then: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Both, group by group; a line that stands in both stands once."""
    order = dict.fromkeys(name for name in ("", *GROUPS, *first, *then) if name in first or name in then)
    return {name: list(dict.fromkeys([*first.get(name, ()), *then.get(name, ())])) for name in order}


def _sections(text: str) -> dict[str, tuple[str, str]]:
    """Heading and body of each version, in the order of the file."""
    found = list(_SECTION.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return {match[1]: (match[0], text[match.end() : end]) for match, end in zip(found, ends, strict=True)}


def _groups(body: str) -> dict[str, list[str]]:
    """A section's entries by group; an entry may have several lines."""
    groups: dict[str, list[str]] = {}
    name = ""
    for line in body.strip().splitlines():
        if line.startswith("### "):
            name = line[4:].strip()
        elif line.startswith(("  ", "\t")) and groups.get(name):
            groups[name][-1] += f"\n{line}"
        elif line.strip():
            groups.setdefault(name, []).append(line)
    return groups


def day_of(text: str, version: str) -> str | None:
    """The day that the changelog gives a version, as it is written."""
    found = [match[2] for match in _SECTION.finditer(text) if match[1] == version]
    return found[0] if found else None


def preview_faults(text: str, previews: Mapping[str, str]) -> list[str]:
    """What the changelog lacks of the previews (`previews`: the last day of each): that they open, and why they were extended.

    Each has the line "- Preview `name` opens, until DAY", and for every later day one above it, "- Preview `name` is extended to DAY: why".
    """
    told: dict[str, list[tuple[str, str, bool]]] = defaultdict(list)
    for match in _PREVIEW.finditer(text):
        told[match[1]].append((match[2], match[3] or "", "extended" in match[0].split(":")[0]))
    faults = []
    for name, until in previews.items():
        lines = told[name]
        if not lines:
            faults.append(f"CHANGELOG.md must say: - Preview `{name}` opens, until {until}: what it is for")
        elif lines[0][0] != until:
            faults.append(
                f"CHANGELOG.md must say: - Preview `{name}` is extended to {until}: why (it was to end on {lines[0][0]})"
            )
        faults += [
            f"CHANGELOG.md must give the reason: - Preview `{name}` is extended to {day}: why"
            for day, why, extended in lines[:-1]
            if not (why and extended)
        ]
    return faults
