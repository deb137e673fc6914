"""What the house promises of itself: rooms, one reader of the environment, short files, complete tables of errors."""

import importlib
import re
from pathlib import Path

import pytest

import auth.errors
import resolvers.errors
from rest_facade.problems import TITLES, problem
from schema.errors import code_of, told
from wire.errors import status_of

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("app", "schema", "execution", "rest_facade", "wire", "resolvers", "webhooks", "vault", "auth", "db")
# These hand the environment to app/settings.py or on to children, and read no setting of it themselves.
HANDS_ON = {"app/cli/settings.py", "app/serve.py", "app/worker.py", "db/embedded.py"}
ERRORS = [
    resolvers.errors.NotFound("product", "prd_x"),
    resolvers.errors.Forbidden("no"),
    resolvers.errors.InsufficientScope("orders:read"),
    resolvers.errors.Invalid(resolvers.errors.Fault("/a", "is wrong")),
    resolvers.errors.Conflict("no", pointer="/a"),
    resolvers.errors.PreconditionFailed("no"),
    resolvers.errors.TooLarge("no"),
    auth.errors.Unauthenticated("invalid_token", "no"),
    auth.errors.RateLimited(3),
]


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_are_imported_from_the_root(room: str) -> None:
    module = importlib.import_module(room)
    assert Path(str(module.__file__ or next(iter(module.__path__)))).is_relative_to(ROOT / room)


def sources() -> list[Path]:
    """Every Python file of the rooms."""
    return [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]


def test_only_the_settings_read_the_environment() -> None:
    reads = {
        str(path.relative_to(ROOT))
        for path in sources()
        if re.search(r"os\.environ(?!\s*[,}])|getenv\(", path.read_text()) and path.parts[-2] != "migrations"
    }
    assert reads - HANDS_ON == set()


def test_files_stay_short() -> None:
    long = {str(path.relative_to(ROOT)): n for path in sources() if (n := len(path.read_text().splitlines())) > 400}
    long = {name: n for name, n in long.items() if "migrations/versions" not in name}
    assert not long


def test_the_list_of_errors_is_whole() -> None:
    def below(kind: type[Exception]) -> set[type[Exception]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    roots = {resolvers.errors.DomainError, auth.errors.AuthError}
    kinds = set().union(*map(below, roots)) - roots
    ours = {kind for kind in kinds if kind.__module__ in ("resolvers.errors", "auth.errors")}
    assert ours == {type(error) for error in ERRORS}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_both_surfaces_tell_every_error(error: Exception) -> None:
    status, headers, body = problem(error, "req_1")
    assert 400 <= status < 500
    assert status == status_of(error)
    assert status in TITLES
    assert headers["content-type"] == "application/problem+json"
    assert b'"request_id":"req_1"' in body
    entry = told(error, "req_1")
    assert entry["extensions"]["code"] == code_of(error) != "INTERNAL"
    assert entry["extensions"]["requestId"] == "req_1"


def test_nothing_internal_shows() -> None:
    error = RuntimeError("password=hunter2")
    assert status_of(error) == 500
    assert b"hunter2" not in problem(error, "req_1")[2]
    assert "hunter2" not in str(told(error, "req_1"))
