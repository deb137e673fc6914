"""`schema check` and `schema release`: the law of releases, tried on a repository of its own."""

import re
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

import app.cli.schema
import app.release
import app.releases
from app import changelog
from app.cli import build
from app.release import NoRelease, Repository, judge, write_draft, write_release
from app.releases import Release, current, newest_version
from app.settings import ROOT
from resolvers.releases import Change
from schema.build import open_previews

DAY = date(2026, 12, 1)
MARK = '@deprecated(reason: "x") @sunset(since: "{0}", on: "{1}", replacement: "Query.me")'
DIRECTIVE = "directive @sunset(since: String!, on: String!, replacement: String!) on FIELD_DEFINITION\n"
WITHOUT_ME = re.sub(r'  """[^"]*"""\n  me: User!\n\n?', "", current().sdl)
PREVIEWS = "".join(f"- Preview `{name}` opens, until {one.mark.until}: x\n" for name, one in open_previews().items())


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository without any release."""
    (tmp_path / "schema" / "releases").mkdir(parents=True)
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## [Unreleased]\n\n### Added\n\n{PREVIEWS}- By hand.\n")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.0.0"\n')
    return Repository(tmp_path)


def put(
    repository: Repository, version: str, day: date | None, *, gone: str = "", mark: str = "", sdl: str = ""
) -> None:
    """A release from before: what runs today and, beside it, the field `Query.gone`, perhaps with a mark."""
    text = sdl or current().sdl
    if gone:
        text = (DIRECTIVE if mark else "") + text.replace("type Query {", f"type Query {{\n  {gone}: String {mark}", 1)
    folder = repository.root / "schema" / "releases"
    info = {"version": version} | ({"x-released": day.isoformat()} if day else {})
    (folder / f"{version}.graphql").write_text(text)
    (folder / f"{version}.openapi.json").write_bytes(orjson.dumps({**current().openapi, "info": info}))
    if day is not None:
        log = repository.changelog
        log.write_text(f"{log.read_text()}\n## [{version}] - {day}\n\n- Old.\n")


def marked(since: date, sunset: date) -> str:
    return MARK.format(since, sunset)


def test_the_real_repository_keeps_the_law() -> None:
    assert judge(Repository(ROOT), date.today()).faults == ()  # noqa: DTZ011 - any day of today will do


async def test_one_version_is_told_everywhere(open_client) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    answer = await open_client.get("/openapi.json")
    assert project == newest_version() == answer.headers["api-version"] == answer.json()["info"]["version"]


def test_additions_are_never_wrong(repository: Repository) -> None:
    put(repository, "1.0.0", DAY, sdl=WITHOUT_ME)
    found = judge(repository, DAY)
    assert (found.faults, found.step) == ((), "minor")
    assert [change.message for change in found.changes] == ["`Query.me` is new."]


def test_what_was_never_announced_may_not_go(repository: Repository) -> None:
    put(repository, "1.0.0", DAY, gone="gone")
    found = judge(repository, DAY + timedelta(days=1000))
    [fault] = found.faults
    assert fault.startswith("`Query.gone` is gone. This breaks 1.0.0; it must be deprecated in a release")
    with pytest.raises(NoRelease):
        write_release(repository, "2.0.0", DAY + timedelta(days=1000))


@pytest.mark.parametrize(
    ("announced", "later", "sunset", "days", "lawful"),
    [
        (DAY, None, DAY + timedelta(90), 90, True),
        (DAY, None, DAY + timedelta(90), 89, False),  # 90 days from the release, whatever the mark says
        (DAY, None, DAY + timedelta(200), 150, False),  # the sunset that was promised has not come
        (DAY, DAY + timedelta(80), DAY + timedelta(90), 95, True),  # from the first release that told it
    ],
)
def test_what_was_announced_may_go_after_its_sunset_and_ninety_days(
    repository: Repository, announced, later, sunset, days, lawful
) -> None:
    mark = marked(date(2020, 1, 1), sunset)  # a mark that dates itself back gains nothing
    put(repository, "1.0.0", announced - timedelta(days=400), gone="gone")
    put(repository, "1.1.0", announced, gone="gone", mark=mark)
    if later is not None:
        put(repository, "1.2.0", later, gone="gone", mark=mark)
    found = judge(repository, announced + timedelta(days=days))
    assert (found.step, found.faults == ()) == ("major", lawful)


def test_a_notice_that_was_taken_back_counts_from_anew(repository: Repository) -> None:
    mark = marked(date(2020, 1, 1), DAY + timedelta(90))
    put(repository, "1.0.0", DAY, gone="gone", mark=mark)
    put(repository, "1.1.0", DAY + timedelta(60), gone="gone")
    put(repository, "1.2.0", DAY + timedelta(70), gone="gone", mark=mark)
    assert judge(repository, DAY + timedelta(159)).faults != ()
    assert judge(repository, DAY + timedelta(160)).faults == ()


def test_a_sunset_that_was_told_later_first_is_not_brought_forward(repository: Repository) -> None:
    put(repository, "1.0.0", DAY, gone="gone", mark=marked(date(2020, 1, 1), DAY + timedelta(300)))
    put(repository, "1.1.0", DAY + timedelta(1), gone="gone", mark=marked(date(2020, 1, 1), DAY + timedelta(91)))
    assert judge(repository, DAY + timedelta(299)).faults != ()
    assert judge(repository, DAY + timedelta(300)).faults == ()


def runs(monkeypatch, mark: str) -> None:
    """Lets what runs have `Query.gone` with this mark."""
    sdl = DIRECTIVE + current().sdl.replace("type Query {", f"type Query {{\n  gone: String {mark}", 1)
    there = Release("next", sdl, current().openapi, None)
    for module in (app.release, app.releases):
        monkeypatch.setattr(module, "current", lambda: there)


def test_a_release_announces_ninety_days_ahead_at_least(repository: Repository, monkeypatch) -> None:
    put(repository, "1.0.0", DAY, gone="gone")
    runs(monkeypatch, marked(date(2020, 1, 1), DAY + timedelta(100)))
    assert judge(repository, DAY + timedelta(11)).faults == ()
    with pytest.raises(NoRelease, match=r"sunset of `Query.gone` is 2027-03-11; .* may be 2027-03-12 at the earliest"):
        write_release(repository, "1.1.0", DAY + timedelta(11))
    write_release(repository, "1.1.0", DAY + timedelta(10))
    assert (
        "### Deprecated\n\n- GraphQL: `Query.gone` is deprecated and may be gone from 2027-03-11; use `Query.me`.\n"
        in (repository.changelog.read_text())
    )


def test_a_promised_sunset_is_not_brought_forward(repository: Repository, monkeypatch) -> None:
    put(repository, "1.0.0", DAY, gone="gone", mark=marked(date(2020, 1, 1), DAY + timedelta(300)))
    runs(monkeypatch, marked(date(2020, 1, 1), DAY + timedelta(299)))
    [fault] = judge(repository, DAY).faults
    assert fault == "the sunset of `Query.gone` is 2027-09-26; 1.0.0 promised 2027-09-27, and it may only be later"
    runs(monkeypatch, marked(date(2020, 1, 1), DAY + timedelta(301)))
    assert judge(repository, DAY).faults == ()


def test_rest_is_held_to_the_same_law(repository: Repository) -> None:
    put(repository, "1.0.0", DAY)
    path = repository.root / "schema" / "releases" / "1.0.0.openapi.json"
    document = orjson.loads(path.read_bytes())
    operation: dict[str, Any] = {"responses": {"200": {"description": "x"}}}
    document["paths"]["/v1/gone"] = {"get": operation}
    path.write_bytes(orjson.dumps(document))
    [fault] = judge(repository, DAY + timedelta(90)).faults
    assert fault.startswith("`GET /v1/gone` is gone.")
    ends = (DAY + timedelta(90)).isoformat()
    operation |= {"x-deprecated-since": "2020-01-01", "x-sunset": ends, "x-replacement": "`GET /v1/me`"}
    path.write_bytes(orjson.dumps(document))
    assert judge(repository, DAY + timedelta(89)).faults != ()
    assert judge(repository, DAY + timedelta(90)).faults == ()


def test_a_release_writes_both_documents_its_entry_and_the_version(repository: Repository) -> None:
    put(repository, "1.0.0", DAY, sdl=WITHOUT_ME)
    after = DAY + timedelta(days=5)
    with pytest.raises(NoRelease, match=r"need a minor step: 1\.1\.0 or later, not 1\.0\.1"):
        write_release(repository, "1.0.1", after)
    write_release(repository, "1.1.0", after)
    assert repository.folder.versions() == ["1.0.0", "1.1.0", "next"]
    assert repository.folder.newest().day == after
    found = judge(repository, after)
    assert (found.base.version, found.step, found.faults) == ("1.1.0", "none", ())
    text = repository.changelog.read_text()
    head = text[: text.index("## [1.0.0]")]
    assert head == (
        "# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2026-12-06\n\n### Added\n\n"
        f"{PREVIEWS}- By hand.\n- GraphQL: `Query.me` is new.\n\n"
    )
    assert repository.project.read_text() == '[project]\nversion = "1.1.0"\n'
    with pytest.raises(NoRelease, match="was released on 2026-12-06; a release is never written anew"):
        write_release(repository, "1.1.0", after)
    with pytest.raises(NoRelease, match="nothing changed since"):
        write_release(repository, "1.1.1", after)


def test_a_draft_is_written_anew_until_it_is_released(repository: Repository) -> None:
    write_draft(repository, "1.0.0")
    put(repository, "1.0.0", None, gone="gone")
    [fault] = judge(repository, DAY).faults
    assert "1.0.0 is a draft: write it anew with ./fshnista schema release 1.0.0 --draft" in fault
    with pytest.raises(NoRelease, match=r"1\.0\.0 is a draft; release it first"):
        write_release(repository, "1.1.0", DAY)
    write_draft(repository, "1.0.0")
    assert judge(repository, DAY).faults == ()
    write_release(repository, "1.0.0", DAY)
    assert "## [1.0.0] - 2026-12-01\n" in repository.changelog.read_text()
    with pytest.raises(NoRelease, match="never written anew"):
        write_draft(repository, "1.0.0")


def test_the_changelog_and_the_release_tell_the_same_day(repository: Repository) -> None:
    put(repository, "1.0.0", DAY)
    repository.changelog.write_text(repository.changelog.read_text().replace(str(DAY), "2026-01-01"))
    assert judge(repository, DAY).faults == (
        "CHANGELOG.md gives 1.0.0 the day 2026-01-01; its own file says 2026-12-01",
    )


def test_versions_go_up_and_have_three_numbers(repository: Repository) -> None:
    put(repository, "1.2.0", DAY)
    for version, why in (("1.1.0", "older than 1.2.0"), ("1.3", "no version"), ("v2.0.0", "no version")):
        with pytest.raises(NoRelease, match=why):
            write_release(repository, version, DAY)


def test_the_commands_tell_and_fail(repository: Repository, monkeypatch) -> None:
    monkeypatch.setattr(app.cli.schema, "REPOSITORY", repository)
    put(repository, "1.0.0", DAY, gone="gone")
    outcome = CliRunner().invoke(build(), ["schema", "check"])
    assert outcome.exit_code == 1
    assert outcome.stdout == "breaks: `Query.gone` is gone.\nsince 1.0.0: major change\n"
    assert outcome.stderr.startswith("wrong: `Query.gone` is gone. This breaks 1.0.0;")
    outcome = CliRunner().invoke(build(), ["schema", "release", "1.0.0"])
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert outcome.stderr == "wrong: 1.0.0 was released on 2026-12-01; a release is never written anew\n"


PREVIEW = "- Preview `{0}` opens, until 2027-01-01: x\n"


@pytest.mark.parametrize(
    ("lines", "until", "fault"),
    [
        ("- Preview `a` opens, until 2027-01-01: x", "2027-01-01", ""),
        ("", "2027-01-01", "must say: - Preview `a` opens, until 2027-01-01"),
        ("- Preview `a` opens, until 2027-01-01: x", "2027-02-01", "is extended to 2027-02-01: why (it was to end on 2027-01-01)"),
        ("- Preview `a` is extended to 2027-02-01: more to try.\n- Preview `a` opens, until 2027-01-01: x", "2027-02-01", ""),
        ("- Preview `a` is extended to 2027-02-01\n- Preview `a` opens, until 2027-01-01: x", "2027-02-01", "must give the reason"),
        ("- Preview `a` opens, until 2027-02-01: y\n- Preview `a` opens, until 2027-01-01: x", "2027-02-01", "must give the reason"),
    ],
)  # fmt: skip
def test_a_preview_opens_and_is_extended_in_the_changelog(lines, until, fault) -> None:
    faults = changelog.preview_faults(f"## [Unreleased]\n\n{lines}\n", {"a": until})
    assert (fault in faults[0]) if fault else faults == []


def test_nothing_that_was_written_by_hand_is_lost() -> None:
    text = (
        "# C\n\n## [Unreleased]\n\nPlain.\n\n### Odd\n\n- Kept,\n  on two lines.\n\n## [1.0.0] - 2026-01-01\n\n- Old.\n"
    )
    assert changelog.released(text, "1.1.0", DAY, {"Removed": ["- REST: `GET /v1/a` is gone."]}) == (
        "# C\n\n## [Unreleased]\n\n## [1.1.0] - 2026-12-01\n\nPlain.\n\n### Removed\n\n- REST: `GET /v1/a` is gone.\n\n"
        "### Odd\n\n- Kept,\n  on two lines.\n\n## [1.0.0] - 2026-01-01\n\n- Old.\n"
    )


def test_one_change_of_many_answers_is_one_sentence() -> None:
    told = ["GET /v1/a 200 /data/*/size", "GET /v1/a/{id} 200 /size", "POST /v1/a 201 /size"]
    changes = [Change("rest", "added", at, f"`{at}` is new.") for at in told]
    assert changelog.notes(changes) == {
        "Added": ["- REST: `/size` is new. In the answer of `GET /v1/a`, `GET /v1/a/{id}`, `POST /v1/a`."]
    }
