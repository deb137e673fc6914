"""Programs that tests of the embedded PostgreSQL start, interrupt and kill."""

import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

# A program that uses the database until it is told to leave; Ctrl-C makes it close in order.
PROGRAM = """
import asyncio, sys
from pathlib import Path
from db.embedded import EmbeddedPostgres
with EmbeddedPostgres.start(Path(sys.argv[1]), durable=False) as postgres:
    try:
        print(postgres.started, postgres.dsn, flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        import asyncpg
        async def look():
            connection = await asyncpg.connect(postgres.dsn)
            print(await connection.fetchval("SELECT 'still there'"), flush=True)
            await connection.close()
        asyncio.run(look())
"""

# A program whose query outlives everything but a signal: it never looks up.
ENDLESS = """
import asyncio, sys, asyncpg
async def main():
    connection = await asyncpg.connect(sys.argv[1])
    print(await connection.fetchval("SELECT pg_backend_pid()"), flush=True)
    try:
        await connection.execute(
            "SELECT sum(a * b) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b")
    except (asyncpg.PostgresError, OSError):
        pass
asyncio.run(main())
"""


class Program:
    """Another process that uses the database."""

    def __init__(self, home: Path, python: str = sys.executable, **how: Any) -> None:
        self.process = subprocess.Popen(
            [python, "-c", PROGRAM, str(home)],
            **{"cwd": ROOT, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, **how},
        )

    def ready(self) -> tuple[bool, str]:
        """Whether it started the server, and the server's URL."""
        started, dsn = line_of(self.process).split()
        return started == "True", dsn

    def leave(self) -> str:
        """Ends it in order; what it printed on the way."""
        out, _ = self.process.communicate(timeout=20)
        return str(out)

    def kill(self) -> None:
        self.process.kill()
        self.leave()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()
