"""`schema check`: what changed since the last release, and what that asks of the version."""

import pytest
from typer.testing import CliRunner

from app.cli import build
from schema import changes
from schema.build import build_schema
from schema.changes import changes_between, newest_release

OLD = "enum Size { S M }\ntype Query { size: Size name(of: ID): String! }"


@pytest.mark.parametrize(
    ("new", "step", "said"),
    [
        (OLD, "none", ()),
        (OLD.replace("enum", '"What fits."\nenum'), "patch", ()),
        (OLD.replace("name(", "title: String name("), "minor", ("Field Query.title was added.",)),
        (OLD.replace("M }", "M L }"), "minor", ("Enum value Size.L was added.",)),
        (OLD.replace("size: Size ", ""), "major", ("Field Query.size was removed.",)),
        (OLD.replace("of: ID", "of: ID!"), "major", ("Argument Query.name(of:) has changed type from ID to ID!.",)),
    ],
)
def test_each_kind_of_change_asks_for_its_step(new, step, said):
    found = changes_between(OLD, new)
    assert found.step == step
    assert (*found.breaking, *found.careful, *found.added) == said


def test_the_newest_release_goes_by_number(tmp_path):
    for version in ("1.9.0", "1.10.0", "1.2.3"):
        (tmp_path / f"{version}.graphql").write_text(version)
    assert newest_release(tmp_path) == ("1.10.0", "1.10.0")


def test_the_command_fails_where_a_released_field_is_gone(tmp_path, monkeypatch):
    sdl = build_schema().as_str()
    monkeypatch.setattr(newest_release, "__defaults__", (tmp_path,))
    (tmp_path / "1.0.0.graphql").write_text(sdl)
    outcome = CliRunner().invoke(build(), ["schema", "check"])
    assert (outcome.exit_code, outcome.stdout) == (0, "since 1.0.0: no change\n")
    (tmp_path / "1.1.0.graphql").write_text(sdl.replace("type Query {", "type Query {\n  gone: String\n", 1))
    outcome = CliRunner().invoke(build(), ["schema", "check"])
    assert outcome.exit_code == 1
    assert outcome.stdout == "breaks: Field Query.gone was removed.\nsince 1.1.0: major change\n"


def test_there_is_a_release_to_hold_against():
    version, sdl = newest_release()
    assert version
    assert changes_between(sdl, sdl).step == "none"
    assert changes.RELEASES.is_dir()
