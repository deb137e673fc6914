"""The pages for people, and what stands in them."""

import re
import subprocess
from pathlib import Path

from app.settings import ROOT

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def pages() -> list[Path]:
    """Every page that is kept."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True)
    return [ROOT / name for name in listed.stdout.decode().split("\n") if name and (ROOT / name).exists()]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in this language."""
    return [text for name, text in _FENCE.findall(page.read_text()) if name == language]
