"""Partners with endpoints, put straight into the tables; and workers that deliver to loopback."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from db.ids import new_id
from db.sessions import Database
from db.tables import Client, Organization, User, WebhookEndpoint
from webhooks.addresses import Rules
from webhooks.events import CATALOGUE
from webhooks.outbox import Happening, emit_all
from webhooks.policy import Patience, Schedule
from webhooks.registry import add_key
from webhooks.signing import Seal, SigningKey
from webhooks.worker import DeliveryWorker, Settings

SEAL = Seal(b"s" * 32)
LOOPBACK = Rules(allow_loopback=True)


@dataclass
class Partner:
    """Whose endpoints they are."""

    db: Database
    user_id: str
    client_id: str

    async def endpoint(self, url: str, **columns) -> tuple[str, SigningKey]:
        """A new endpoint and its key."""
        now = datetime.now(UTC)
        async with self.db.write() as session:
            endpoint = WebhookEndpoint(
                id=new_id("whk"), owner_id=self.user_id, client_id=self.client_id, url=url, created_at=now,
                updated_at=now, **{"events": list(CATALOGUE), **columns},
            )  # fmt: skip
            session.add(endpoint)
            await session.flush()
            return endpoint.id, await add_key(session, SEAL, endpoint.id, now)

    async def happen(self, *resources: str, kind: str = "order.created", **payload) -> list[str]:
        """One event for each resource, in one transaction."""
        now = datetime.now(UTC)
        async with self.db.write() as session:
            return await emit_all(
                session, [Happening(kind, one, [self.user_id], {"id": one, **payload}, now) for one in resources]
            )


async def new_partner(db: Database) -> Partner:
    """A partner of its own, so that tests see nothing of each other."""
    now = datetime.now(UTC)
    organization, user, client = new_id("org"), new_id("usr"), new_id("cli")
    async with db.write() as session:
        session.add(Organization(id=organization, name="Partner", created_at=now))
        await session.flush()
        handle = f"@{user[4:].lower()}"
        session.add(
            User(id=user, organization_id=organization, handle=handle, display_name="P", created_at=now, updated_at=now)
        )
        session.add(Client(id=client, organization_id=organization, name="P", created_at=now))
    return Partner(db, user, client)


def settings(**changes) -> Settings:
    """Quick ones."""
    quick = {
        "rules": LOOPBACK,
        "schedule": Schedule((0, 0.1, 0.2, 0.3)),
        "patience": Patience(),
        "timeout": 1.0,
        "lease": 5.0,
        "poll": 0.02,
        "idle": 0.02,
        "tick": 0.01,
        "linger": 0.005,
    }
    return Settings(**{**quick, **changes})


@asynccontextmanager
async def working(db: Database, lookup=None, **changes):
    """A worker that runs while the block does."""
    worker, stop = DeliveryWorker(db, SEAL, settings(**changes), lookup), asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        yield worker
    finally:
        stop.set()
        await task


async def eventually(check, seconds: float = 10.0):
    """The first true answer of `check`."""
    async with asyncio.timeout(seconds):
        while not (answer := await check()):  # noqa: ASYNC110 - the database sends no word
            await asyncio.sleep(0.02)
        return answer
