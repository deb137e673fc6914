"""`./fshnista serve` itself is killed while partners write through it: what they were told is what is kept and delivered."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from random import Random

import httpx
import pytest

from auth.identity import Identity
from auth.partners import create_partner
from db.embedded import EmbeddedPostgres
from db.migrate import migrate
from db.sessions import Database
from tests.webhooks.receivers import receiving

ROOT = Path(__file__).parents[2]
SECRET = "a secret of the servers, which follow one another"
LIVES, WRITERS = 15, 4


class Server:
    """`serve` with its worker, over one database, on one port; started anew as often as it is killed."""

    def __init__(self, dsn: str, log: Path) -> None:
        self._log = log
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._env = {
            **os.environ, "FSHNISTA_DATABASE_URL": dsn, "FSHNISTA_SECRET": SECRET, "FSHNISTA_WEBHOOK_ALLOW_LOOPBACK": "1",
            "FSHNISTA_WEBHOOK_RETRY_SECONDS": "0,1,1,1,1,1,1,1",
        }  # fmt: skip

    async def start(self) -> None:
        """Until it can answer."""
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "app", "serve", "--port", str(self.port)), cwd=ROOT, env=self._env,
                stdout=log, stderr=log,
            )  # fmt: skip
        async with httpx.AsyncClient(base_url=self.url) as client, asyncio.timeout(60):
            while not await _ready(client):
                assert self.process.returncode is None, "it ended: see the log in the test's folder"
                await asyncio.sleep(0.05)

    async def kill(self, *, worker: bool) -> None:
        """SIGKILL; and to the worker beside it, which else ends in order when it finds its server gone."""
        children = _children(self.process.pid) if worker else []
        self.process.kill()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> None:
        """In order."""
        self.process.terminate()
        assert await self.process.wait() == 0


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


class Writer:
    """Sets one product's price to 1, 2, 3, …, each until it is answered, with one idempotency key each."""

    def __init__(self, client: httpx.AsyncClient, path: str, name: str) -> None:
        self._client, self._path, self.sku, self.told = client, path, name, 0
        self.retried = 0

    async def write(self, stop: asyncio.Event) -> None:
        """Writes until it is told to stop."""
        while not stop.is_set():
            await self._until_told(self.told + 1)
            self.told += 1
            await asyncio.sleep(0.01)

    async def _until_told(self, number: int) -> None:
        body = {"sku": self.sku, "title": "A tee", "price": {"amount": f"{number}.00", "currency": "EUR"}}
        while True:
            with suppress(httpx.TransportError):
                key = {"idempotency-key": f"{self.sku}-{number}"}
                answer = await self._client.post(self._path, json=body, headers=key)
                if answer.status_code in (200, 201):
                    assert answer.json()["price"]["amount"] == f"{number}.00"
                    return
                assert answer.status_code in (409, 503), answer.text  # the killed one's transaction may still end
            self.retried += 1
            await asyncio.sleep(0.05)


@pytest.mark.fault
async def test_each_write_that_was_answered_is_told_once_through_any_number_of_killed_servers(tmp_path):
    random = Random(11)
    with EmbeddedPostgres.start(tmp_path / "home") as postgres:
        await migrate(postgres.dsn)
        server = Server(postgres.dsn, tmp_path / "log")
        headers = {"x-api-key": await _api_key(postgres.dsn, server.url)}
        await server.start()
        async with receiving() as receiver, httpx.AsyncClient(base_url=server.url, headers=headers) as client:
            endpoint = {"url": receiver.url, "events": ["product.updated"], "ordered": True}
            assert (await client.post("/v1/webhooks", json=endpoint)).status_code == 201
            shop = {"handle": "@kept", "name": "Kept", "status": "active"}
            shop = (await client.post("/v1/storefronts", json=shop)).json()
            writers = [Writer(client, f"/v1/storefronts/{shop['id']}/products", f"TEE-{n}") for n in range(WRITERS)]
            stop = asyncio.Event()
            writing = [asyncio.create_task(writer.write(stop)) for writer in writers]
            for life in range(LIVES):
                await asyncio.sleep(random.uniform(0.1, 1.5))
                await server.kill(worker=life % 2 == 0)
                await server.start()
            stop.set()
            await asyncio.gather(*writing)
            written = {writer.sku: list(range(1, writer.told + 1)) for writer in writers}
            async with asyncio.timeout(150):
                while _heard(receiver) != written:  # noqa: ASYNC110 - the worker sends no word
                    await asyncio.sleep(0.5)
            await server.stop()
    told, retried = sum(writer.told for writer in writers), sum(writer.retried for writer in writers)
    sys.stdout.write(
        f"\n{told} writes through {LIVES} kills, {retried} tried again, {len(receiver.received)} deliveries\n"
    )
    assert retried


async def _api_key(dsn: str, url: str) -> str:
    db = await Database.open(dsn)
    identity = await Identity.open(db, issuer=url, audience=url, environment="sandbox", secret=SECRET.encode())
    made = await create_partner(db, identity.hasher, "Kept", environment="sandbox", tier="internal")
    await identity.close()
    await db.close()
    assert made.api_key
    return made.api_key


def _heard(receiver) -> dict[str, list[int]]:
    """The prices told of each product in the order of its events, each event once."""
    events = {one.headers["webhook-id"]: one.event for one in receiver.received}
    heard: dict[str, list[int]] = {}
    for event in sorted(events.values(), key=lambda event: event["resource"]["sequence"]):
        product = event["data"]
        heard.setdefault(product["sku"], []).append(int(float(product["price"]["amount"])))
    return heard
