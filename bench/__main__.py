"""`make bench`: what one process of the server answers a second, and what each answer costs.

A database of 5,000 storefronts, 200,000 products and 300,000 affiliate links is generated once, under bench/out. Servers run
as single processes on loopback, with tokens, scopes, limits and cost control on; wrk sends what they can take over eight
connections. Rounds are interleaved, medians are told, and runs that other work disturbed are dropped. The peers (mercurius
with its JIT, PostGraphile) read the same database; so does the statement that an expert would write by hand, through pgbench.
"""

import argparse
import json
import shutil
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from bench.load import Job, Run, by_hand, measure, medians
from bench.processes import Server, install_peers, ours, peer
from bench.report import picture, ratios, table
from bench.selections import ALONE, COMPARED, GROWTH, Selection
from bench.world import World, prepared, token

OUT = Path(__file__).parent / "out"
MINE, PLAIN = "this server", "plain Strawberry"


def main() -> int:
    """Runs the benchmark and prints its tables."""
    asked = _arguments()
    if shutil.which("wrk") is None:
        print("bench: wrk is missing; on Debian: apt-get install wrk", file=sys.stderr)
        return 2
    home = asked.home or OUT / ("small" if asked.small else "full")
    OUT.mkdir(exist_ok=True)
    with prepared(home.resolve(), small=asked.small) as world, ExitStack() as stack:
        servers = _start(stack, world, peers=not asked.no_peers and install_peers())
        jobs = _jobs(world, servers)
        runs = _rounds(world, jobs, asked.rounds, asked.seconds)
    found, dropped = medians(runs, asked.seconds * 0.4)
    print(table(found), ratios(found, MINE), f"{dropped} of {len(runs)} runs dropped: disturbed", sep="\n\n")
    (OUT / "runs.json").write_text(json.dumps([asdict(run) for run in runs], indent=1))
    (OUT / "bench.md").write_text(table(found) + "\n\n" + ratios(found, MINE) + "\n")
    (OUT / "bench.svg").write_text(picture(found, [selection.name for selection in COMPARED]))
    print(f"\nWritten to {OUT}: runs.json, bench.md, bench.svg")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each measurement is repeated (3)")
    parser.add_argument("--seconds", type=int, default=4, help="how long each takes (4)")
    parser.add_argument("--small", action="store_true", help="a hundredth of the rows, for a quick try")
    parser.add_argument("--no-peers", action="store_true", help="this server alone")
    parser.add_argument("--home", type=Path, help="a data folder that `generate` has filled")
    return parser.parse_args()


def _start(stack: ExitStack, world: World, *, peers: bool) -> list[Server]:
    started = [
        stack.enter_context(ours(MINE, world.home, 4100, OUT / "ours.log")),
        stack.enter_context(ours(PLAIN, world.home, 4101, OUT / "plain.log", plans="off")),
    ]
    if peers:
        for port, name in ((4102, "mercurius"), (4103, "postgraphile")):
            started.append(stack.enter_context(peer(name, world.dsn, port, OUT / f"{name}.log")))
    return started


def _jobs(world: World, servers: list[Server]) -> list[tuple[Selection | None, Job]]:
    by_name = {server.name: server for server in servers}
    mine = by_name[MINE]
    credentials = (("Authorization", f"Bearer {token(mine.url, world.secret)}"), ("Content-Type", "application/json"))
    jobs: list[tuple[Selection | None, Job]] = []
    for selection in (*COMPARED, *GROWTH, *ALONE):
        for server in servers:
            text = _spelled(selection, server.name)
            if text and not (server.name == PLAIN and selection not in COMPARED):
                body = json.dumps({"query": text, "variables": {"id": "%ID%"} if selection.by_id else {}})
                jobs.append(
                    (selection, Job(selection.name, server.name, server, "/graphql", body, headers=credentials))
                )
    jobs.append((None, Job("REST read", MINE, mine, "/v1/storefronts/%ID%", method="GET", headers=credentials)))
    product = {"sku": "B-%ID%", "title": "Tee", "price": {"amount": "29.00", "currency": "EUR"}, "status": "active"}
    path = f"/v1/storefronts/{world.storefront}/products"
    jobs.append((None, Job("REST upsert", MINE, mine, path, json.dumps(product), headers=credentials)))
    grant = json.dumps({"grant_type": "client_credentials", **world.secret})
    jobs.append((None, Job("token", MINE, mine, "/oauth/token", grant, headers=credentials[1:])))
    return jobs


def _spelled(selection: Selection, server: str) -> str:
    if server == "postgraphile":
        return selection.postgraphile
    return selection.ours if server in (MINE, PLAIN) or selection.mercurius else ""


def _rounds(world: World, jobs: list[tuple[Selection | None, Job]], rounds: int, seconds: int) -> list[Run]:
    runs: list[Run] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for turn in range(rounds + 1):  # the first round warms everything up and does not count
            for place, (selection, job) in enumerate(jobs):
                run = measure(job, world.postmaster, world.ids, seconds if turn else 1, folder)
                if turn:
                    runs.append(run)
                    _say(turn, run)
                last = place + 1 == len(jobs) or jobs[place + 1][0] is not selection
                if turn and selection is not None and selection.sql and last and shutil.which("pgbench"):
                    sql = selection.sql
                    runs.append(by_hand(selection.name, sql, world.dsn, world.postmaster, world.count, seconds, folder))
                    _say(turn, runs[-1])
    return runs


def _say(turn: int, run: Run) -> None:
    costs = f"server {run.server_ms:.3f} ms, PostgreSQL {run.postgres_ms:.3f} ms"
    print(f"{turn} {run.selection}, {run.target}: {run.rate:.0f}/s, p99 {run.p99:.1f} ms, {costs}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
