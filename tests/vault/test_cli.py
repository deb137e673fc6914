"""The operator's commands, run as a person runs them, on a database that other commands use meanwhile."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from db.ids import new_id
from tests.factories import Partner
from tests.vault.files import upload

ROOT = Path(__file__).resolve().parents[2]


def fshnista(dsn: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FSHNISTA_DATABASE_URL": dsn, "FSHNISTA_HOME": str(home)}
    command = [str(ROOT / "fshnista"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(("word", "status"), [("approve", "approved"), ("reject", "rejected")])
async def test_the_operator_decides(owner: Partner, dsn: str, tmp_path: Path, word: str, status: str) -> None:
    id_ = (await upload(owner.http)).json()["id"]
    done = fshnista(dsn, tmp_path, "moderation", word, id_, "--reason", "seen by two")
    assert done.returncode == 0, done.stderr
    body = (await owner.http.get(f"/v1/assets/{id_}")).json()
    assert json.loads(done.stdout) == body
    assert (body["status"], body["review_reason"]) == (status, "seen by two")


async def test_an_unknown_asset_is_one_line(owner: Partner, dsn: str, tmp_path: Path) -> None:
    done = fshnista(dsn, tmp_path, "moderation", "approve", new_id("ast"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("fshnista: There is no asset ast_")
    assert done.stderr.count("\n") == 1


def test_a_wrong_store_stops_the_start_with_one_line(tmp_path: Path) -> None:
    environment = {**os.environ, "FSHNISTA_STORAGE_URL": "s3://bucket?colour=red", "FSHNISTA_HOME": str(tmp_path)}
    done = subprocess.run([ROOT / "fshnista", "serve"], env=environment, capture_output=True, text=True, timeout=60)
    told = "fshnista: FSHNISTA_STORAGE_URL is wrong: an S3 address takes ?endpoint= and ?region=, not colour\n"
    assert (done.returncode, done.stderr) == (2, told)
