"""Sends what a server can take over eight connections, and tells what it took."""

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.processes import Server, busy_seconds, processor_seconds

CONNECTIONS = 8
LUA = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True)
class Job:
    """What is sent: method, path and body, in which %ID% is drawn anew for each request."""

    selection: str
    target: str
    server: Server
    path: str
    body: str = ""
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Run:
    """One measurement. Times in milliseconds; processor time is by request; `others`: seconds that anything else used."""

    selection: str
    target: str
    rate: float
    p50: float
    p95: float
    p99: float
    server_ms: float
    postgres_ms: float
    errors: int
    others: float


def measure(job: Job, postmaster: int, ids: Path, seconds: int, folder: Path) -> Run:
    """Loads one server for so many seconds."""
    body, headers = folder / "body", folder / "headers"
    body.write_text(job.body)
    headers.write_text("".join(f"{name}: {value}\n" for name, value in job.headers))
    before = _clocks(job.server.pid, postmaster)
    command = [
        "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(LUA), job.server.url, "--", job.method, job.path,
        str(body), str(ids), str(headers),
    ]  # fmt: skip
    started = os.times()
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    ended = os.times()
    server, postgres, busy = (b - a for a, b in zip(before, _clocks(job.server.pid, postmaster), strict=True))
    load = ended.children_user - started.children_user + ended.children_system - started.children_system
    found = re.search(r"RESULT (\d+) (\d+) ([\d.]+) ([\d.]+) ([\d.]+) (\d+)", output)
    if found is None:
        raise RuntimeError(f"wrk said nothing of {job.target}: {output}")
    count = max(int(found[1]), 1)
    return Run(
        job.selection, job.target, count / int(found[2]) * 1e6, float(found[3]), float(found[4]), float(found[5]),
        1000 * server / count, 1000 * postgres / count, int(found[6]), busy - server - postgres - load,
    )  # fmt: skip


def _clocks(server: int, postmaster: int) -> tuple[float, float, float]:
    return processor_seconds(server), processor_seconds(postmaster), busy_seconds()


def by_hand(selection: str, sql: str, dsn: str, postmaster: int, rows: int, seconds: int, folder: Path) -> Run:
    """The statement that an expert would write, prepared and sent by pgbench. `{id}` is drawn from the table bench_ids."""
    script = folder / "script.sql"
    drawn = "(select b.id from bench_ids b where b.place = :place)"
    script.write_text(f"\\set place random(1, {rows})\n{sql.format(id=drawn)};\n".replace("\n  ", " "))
    command = [
        "pgbench", "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "1", "-T", str(seconds), "-f", str(script),
        "-l", "--log-prefix", str(folder / "pgbench"), dsn,
    ]  # fmt: skip
    before, started = processor_seconds(postmaster), os.times()
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    ended = os.times()
    time.sleep(0.5)  # its connections end a moment later, and only then does their work count
    used = processor_seconds(postmaster) - before
    client = ended.children_user - started.children_user + ended.children_system - started.children_system
    times = _times(folder)
    rate = float(re.search(r"tps = ([\d.]+)", output)[1])  # type: ignore[index]
    p50, p95, p99 = (times[int(len(times) * share)] for share in (0.5, 0.95, 0.99))
    cost = 1000 / len(times)
    return Run(selection, "by hand", rate, p50, p95, p99, cost * client, cost * used, 0, 0)


def _times(folder: Path) -> list[float]:
    """Milliseconds of each of pgbench's transactions, sorted; its logs are taken away."""
    times = []
    for log in folder.glob("pgbench.*"):
        times += [int(line.split()[2]) / 1000 for line in log.read_text().splitlines()]
        log.unlink()
    return sorted(times) or [0.0]


def medians(runs: list[Run], most_others: float) -> tuple[list[Run], int]:
    """One run for each selection and target: the medians of those that nothing else disturbed; and how many were dropped."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.selection, run.target), []).append(run)
    found, dropped = [], 0
    for (selection, target), members in groups.items():
        calm = [run for run in members if run.others <= most_others]
        dropped += len(members) - len(calm)
        calm = calm or members
        numbers = ("rate", "p50", "p95", "p99", "server_ms", "postgres_ms", "others")
        middle = {name: median(getattr(run, name) for run in calm) for name in numbers}
        found.append(Run(selection, target, errors=sum(run.errors for run in members), **middle))
    return found, dropped
