"""What a person is told whose command cannot run: one line, and no traceback."""

import socket
from pathlib import Path

import pytest

from app.operator import storefront_of
from auth.secrets import Hasher
from auth.signing_keys import SigningKeys
from db.embedded import EmbeddedPostgres
from db.sessions import Database
from resolvers.errors import Invalid
from resolvers.platform import Platform
from tests.conftest import fresh_database
from tests.vault.test_cli import fshnista


def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    done = fshnista("postgresql://someone:hidden@127.0.0.1:1/none", tmp_path, "migrate")
    assert done.returncode == 2
    assert done.stderr.startswith("fshnista: the database of FSHNISTA_DATABASE_URL cannot be used: ")
    assert done.stderr.count("\n") == 1
    assert "hidden" not in done.stderr


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_port_in_use_is_one_line(dsn: str, tmp_path: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = fshnista(dsn, tmp_path, command, "--port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"fshnista: cannot listen at 127.0.0.1:{port}: Address already in use; ")
    assert done.stderr.count("\n") == 1


async def test_another_secret_than_the_database_knows_is_one_line(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    async with fresh_database(postgres, f"refusals_{tmp_path.name}") as dsn:
        db = await Database.open(dsn)
        await SigningKeys.open(db, Hasher(b"the secret of another server, long ago"), token_seconds=3600)
        await db.close()
        done = fshnista(dsn, tmp_path, "serve", "--port", "0", "--no-worker")
    assert done.returncode == 2
    assert done.stderr.startswith("fshnista: the signing keys in this database were made with another server secret")
    assert done.stderr.count("\n") == 1


async def test_a_storefront_that_cannot_have_its_name_is_told_where(db: Database, platform: Platform) -> None:
    with pytest.raises(Invalid, match="/handle: must have the form"):
        await storefront_of(db, platform, "two words", None)
