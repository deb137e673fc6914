"""Lock files carry hashes, and no address of any registry."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = sorted(ROOT.glob("requirements/*.lock"))
NPM = [path for path in ROOT.rglob("package-lock.json") if not {"node_modules", ".venv"} & set(path.parts)]


@pytest.mark.parametrize("path", [*PYTHON, *NPM], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_address(path: Path) -> None:
    found = re.findall(r"https?://\S+", path.read_text())
    assert not found, f"{path.name} holds {found[:3]}; run `make lock`, or python web/clean_lock.py on it"


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.name)
def test_every_requirement_has_hashes(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert lines
    assert all(line.endswith("\\") for line in lines)


@pytest.mark.parametrize("path", NPM, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_package_has_its_integrity(path: Path) -> None:
    entries = re.findall(r'"node_modules/[^"]+": \{(.*?)\n    \}', path.read_text(), re.DOTALL)
    assert entries
    assert all('"integrity"' in entry or '"link"' in entry for entry in entries)
