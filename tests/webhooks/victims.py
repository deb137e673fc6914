"""Processes for the fault tests: workers that die at a chosen moment, and emitters that die whenever they are killed.

They are forked from a server that has everything imported, so that hundreds of lives fit into a minute or two.
"""

import asyncio
import os
import signal
from contextlib import suppress
from random import Random

import asyncpg
import uvloop
from sqlalchemy.exc import DBAPIError

from db.sessions import Database
from tests.webhooks.partners import SEAL, Partner, settings
from webhooks import dispatch, ledger
from webhooks.courier import Courier
from webhooks.policy import Schedule
from webhooks.worker import DeliveryWorker

# Where a worker's life can end: before and after each commit and each request.
MOMENTS = (
    "before tick", "after tick", "before claim", "after claim", "before send", "in send", "after send", "before record",
    "after record",
)  # fmt: skip


def _deadly(moment: str, function, name: str, chance: float, random: Random):
    """The function, with death before or after it."""

    async def act(*arguments, **more):
        if moment == f"before {name}" and random.random() < chance:
            os.kill(os.getpid(), signal.SIGKILL)
        if moment == f"in {name}" and random.random() < chance:
            asyncio.get_running_loop().call_later(0.003, os.kill, os.getpid(), signal.SIGKILL)
        found = await function(*arguments, **more)
        if moment == f"after {name}" and found and random.random() < chance:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return act


def work(dsn: str, moment: str, seed: int) -> None:
    """A worker that dies at the moment, sooner or later."""
    random = Random(seed)
    dispatch.tick = _deadly(moment, dispatch.tick, "tick", 0.2, random)
    for name in ("claim_due", "claim_queued"):
        setattr(ledger, name, _deadly(moment, getattr(ledger, name), "claim", 0.2, random))
    ledger.record = _recorded(moment, random)
    Courier.attempt = _deadly(moment, Courier.attempt, "send", 0.05, random)  # type: ignore[method-assign]
    uvloop.run(_work(dsn))


def _recorded(moment: str, random: Random):
    """`record` answers whether something is due by it, so death after it must not ask for a true answer."""
    record = ledger.record

    async def always(*arguments):
        return (await record(*arguments), True)

    deadly = _deadly(moment, always, "record", 0.2, random)

    async def act(*arguments):
        return (await deadly(*arguments))[0]

    return act


async def _work(dsn: str) -> None:
    quick = settings(lease=2.0, timeout=0.4, schedule=Schedule((0, 0.2, 0.5, 1, 1, 1, 1, 1)))
    while True:
        with suppress(OSError, asyncpg.PostgresError):
            db = await Database.open(dsn, readers=8, writers=2)
            await DeliveryWorker(db, SEAL, quick).run(asyncio.Event())


def emit(dsn: str, owner: str, resources: list[str]) -> None:
    """Events in small transactions, for as long as it lives."""
    uvloop.run(_emit(dsn, owner, resources))


async def _emit(dsn: str, owner: str, resources: list[str]) -> None:
    random = Random()
    while True:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError):
            db = await Database.open(dsn, readers=1, writers=3)
            partner = Partner(db, owner, "")

            async def forever(partner: Partner = partner) -> None:
                while True:
                    await partner.happen(*random.sample(resources, 3))
                    await asyncio.sleep(0.02)

            await asyncio.gather(*(forever() for _ in range(3)))
