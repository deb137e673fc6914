"""The pages for people, held to the code: every setting, command, scope and file that there is, and none that there is not."""

import asyncio
import re
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from app.cli import build
from app.settings import ROOT, TABLE, WrongSetting, read_settings
from auth.scopes import SCOPES
from tests.contract.documents import pages

# What the contract promises to whoever types it: the command and its options.
PROMISED = {
    "serve": ("--host", "--port", "--workers", "--no-worker"),
    "worker": (),
    "migrate": (),
    "settings": (),
    "partner create": ("NAME", "--scopes", "--redirect-uri", "--tier", "--json"),
    "creator create": ("HANDLE", "--email", "--password", "--region", "--json"),
    "moderation approve": ("ASSET_ID", "--reason"),
    "moderation reject": ("ASSET_ID", "--reason"),
    "catalogue import": ("FILE", "--storefront", "--owner"),
    "generate": ("--storefronts", "--products", "--links", "--seed"),
    "schema export": ("--preview",),
    "schema check": (),
    "openapi export": (),
    "postman export": (),
    "keys rotate": (),
}
_ROOMS = (
    "app|auth|bench|db|docs|execution|requirements|resolvers|rest_facade|schema|tests|tryon|vault|web|webhooks|wire"
)


def _said() -> str:
    return "\n".join(page.read_text() for page in pages())


def _commands(group: typer.core.TyperGroup, path: str = ""):
    """Every command by its words, with the group's own."""
    for name, command in group.commands.items():
        words = f"{path} {name}".strip()
        yield words, command
        if isinstance(command, typer.core.TyperGroup):
            yield from _commands(command, words)


def _all_commands():
    program = typer.main.get_command(build())
    assert isinstance(program, typer.core.TyperGroup)
    return dict(_commands(program))


def _help(*words: str) -> str:
    outcome = CliRunner().invoke(build(), [*words, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert outcome.exit_code == 0, outcome.stderr
    return re.sub(r"\x1b\[[0-9;]*m", "", outcome.stdout)


def test_every_setting_is_in_the_readme_with_its_default():
    readme = (ROOT / "README.md").read_text()
    rows = dict(re.findall(r"^\| `(FSHNISTA_\w+)` \|(.*)\|$", readme, re.MULTILINE))
    assert set(rows) == {name for name, *_ in TABLE}
    for name, default, _, _ in TABLE:
        assert not default or f"`{default}`" in rows[name], name


def test_no_page_names_a_setting_that_is_none():
    assert set(re.findall(r"FSHNISTA_[A-Z_]+[A-Z]", _said())) <= {name for name, *_ in TABLE}


def test_every_scope_is_in_the_readme():
    told = re.findall(r"^\| (`.*`) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert {scope for row in told for scope in re.findall(r"`([a-z]+:[a-z]+)`", row)} == set(SCOPES)


def test_every_command_is_on_a_page_and_no_page_names_another():
    commands = _all_commands()
    leaves = {words for words, command in commands.items() if not isinstance(command, typer.core.TyperGroup)}
    said = _said()
    assert [words for words in sorted(leaves) if f"./fshnista {words}" not in said] == []
    named = re.findall(r"\./fshnista ([a-z]+)(?: ([a-z]+))?", said)
    assert [pair for pair in named if pair[0] not in commands] == []
    groups = {words for words, command in commands.items() if isinstance(command, typer.core.TyperGroup)}
    assert [pair for pair in named if pair[0] in groups and " ".join(pair) not in leaves] == []


@pytest.mark.parametrize("words", PROMISED)
def test_a_promised_command_has_its_options(words: str):
    told = _help(*words.split())
    for option in PROMISED[words]:
        assert option in told, f"{words} has no {option}"


def test_every_help_page_says_what_it_is_for():
    for words, command in _all_commands().items():
        assert command.help, words
        assert command.help[0].isupper(), words
        assert command.help.splitlines()[0] in _help(*words.split()) or "\n" in command.help, words
        for parameter in command.params:
            if parameter.name != "help":
                assert getattr(parameter, "help", None), f"{words}: {parameter.name} is not explained"


def test_every_file_that_a_page_names_exists():
    missing = []
    for page in pages():
        for name in re.findall(rf"`((?:(?:{_ROOMS})/[\w./-]*)|[A-Za-z.-]+\.(?:md|toml|graphql))`", page.read_text()):
            beside = page.parent / name
            if not ((ROOT / name).exists() or beside.exists()):
                missing.append((page.name, name))
    assert missing == [("catalogue-files.md", name) for _, name in missing if name == ""]


def test_no_page_names_a_place_of_this_machine():
    for page in pages():
        assert re.findall(r"(?<![\w.:/])/(?:home|root|work|tmp|Users|var)/\S*", page.read_text()) == [], page.name


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("FSHNISTA_ENVIRONMENT", "prod", "sandbox or production"),
        ("FSHNISTA_DATABASE_URL", "mysql://x", "postgresql://"),
        ("FSHNISTA_EXECUTION_PLANS", "yes", "on or off"),
        ("FSHNISTA_WEBHOOK_RETRY_SECONDS", "soon", "whole seconds"),
        ("FSHNISTA_STORAGE_URL", "ftp://files", "s3://"),
    ],
)
async def test_a_wrong_setting_stops_any_command_with_one_line_and_exit_code_2(name, value, right):
    with pytest.raises(WrongSetting, match=name):
        read_settings({name: value})
    command = [str(ROOT / "fshnista"), "settings"]
    process = await asyncio.create_subprocess_exec(
        *command,
        env={"PATH": "/usr/bin:/bin", name: value},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert len(err.decode().splitlines()) == 1
    assert err.startswith(b"fshnista: ")
    assert name in err.decode()
    assert right in err.decode()


async def test_settings_prints_every_setting_and_no_secret():
    environment = {
        "PATH": "/usr/bin:/bin", "FSHNISTA_SECRET": "hush-hush", "FSHNISTA_DATABASE_URL": "postgresql://me:hidden@db/x",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        str(ROOT / "fshnista"), "settings", env=environment, stdout=asyncio.subprocess.PIPE
    )
    out = (await process.communicate())[0].decode()
    assert process.returncode == 0
    assert [name for name, *_ in TABLE if name not in out] == []
    assert "hush-hush" not in out
    assert "hidden" not in out
    assert "environment" in out


def test_commands_start_without_the_surfaces():
    """Strawberry and the route table take a second to import, which a command that serves nothing need not wait for."""
    asked = "import sys, app.cli; print([name for name in ('strawberry', 'schema', 'rest_facade.routes') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"
