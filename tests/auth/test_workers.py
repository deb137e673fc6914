"""`serve --workers 3`: one quota over all processes, revocation in each of them, and nothing left behind."""

import asyncio
import os
import signal
import socket
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from auth.identity import Identity
from auth.partners import create_partner
from db.sessions import Database

ROOT = Path(__file__).parents[2]
SECRET = "a secret of the processes, which they share"


@pytest.fixture
async def served(fresh_dsn):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {**os.environ, "FSHNISTA_DATABASE_URL": fresh_dsn, "FSHNISTA_SECRET": SECRET}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "serve", "--port", str(port), "--workers", "3"), cwd=ROOT, env=env,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        async with asyncio.timeout(60):
            while not await answers(client):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
        yield url
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 30) in (0, -signal.SIGTERM)


async def answers(client):
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


async def test_processes_share_one_quota_and_honour_one_revocation(served, fresh_dsn):
    db = await Database.open(fresh_dsn)
    identity = await Identity.open(db, issuer=served, audience=served, environment="sandbox", secret=SECRET.encode())
    # A connection for each request: the kernel hands them to all three processes.
    client = httpx.AsyncClient(base_url=served, timeout=60, limits=httpx.Limits(max_keepalive_connections=0))
    try:
        partner = await create_partner(db, identity.hasher, "Busy", environment="sandbox")
        answers = await asyncio.gather(*(one_call(client, partner.api_key) for _ in range(160)))
        assert Counter(answer.status_code for answer in answers) == {200: 100, 429: 60}
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["code"] == "rate_limited"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.headers["ratelimit-policy"] == '"default";q=100;w=60'
        assert refused.headers["ratelimit"] == f'"default";r=0;t={refused.headers["retry-after"]}'
        assert "fshnista_limits_degraded 0.0" in (await client.get("/metrics")).text
        other = await create_partner(db, identity.hasher, "Gone", environment="sandbox", tier="internal")
        assert {(await one_call(client, other.api_key)).status_code for _ in range(9)} == {200}
        key_id = await db.fetch_value("select id from api_keys where client_id = $1", (other.client_id,))
        await identity.revocations.revoke("key", key_id, seconds=3600)
        await asyncio.sleep(5)
        assert {(await one_call(client, other.api_key)).status_code for _ in range(30)} == {401}
    finally:
        await client.aclose()
        await identity.close()
        await db.close()


async def one_call(client, key):
    return await client.get("/v1/me", headers={"x-api-key": key})
