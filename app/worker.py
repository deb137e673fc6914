"""The background worker: beside the server, or as a program of its own on any host."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvloop

from app.refreshing import Refresher
from app.runtime import rules_of, secret_of
from app.settings import ROOT, Settings
from db.migrate import migrate
from db.sessions import Database
from webhooks.policy import Schedule
from webhooks.signing import Seal
from webhooks.worker import DeliveryWorker
from webhooks.worker import Settings as Deliveries

# In the worker's environment: the process that it must not outlive.
PARENT = "_FSHNISTA_BESIDE"
_READERS, _WRITERS = 8, 2


def deliveries_of(settings: Settings) -> Deliveries:
    """How webhooks are delivered under these settings."""
    return Deliveries(rules=rules_of(settings), schedule=Schedule(tuple(map(float, settings.webhook_retry_seconds))))


def run_worker(settings: Settings, dsn: str, *, ready: Callable[[], None] = lambda: None) -> None:
    """Works until SIGTERM or SIGINT, finishes what is under way, and returns."""
    uvloop.run(_run(settings, dsn, ready))


async def _run(settings: Settings, dsn: str, ready: Callable[[], None]) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if not settings.database_url:
        await migrate(dsn)
    db = await Database.open(dsn, readers=_READERS, writers=_WRITERS)
    try:
        worker = DeliveryWorker(db, Seal(secret_of(settings)), deliveries_of(settings))
        orphaned = asyncio.create_task(_until_orphaned(stop))
        ready()
        async with asyncio.TaskGroup() as works:
            works.create_task(worker.run(stop))
            works.create_task(Refresher(db).run(stop))
        orphaned.cancel()
    finally:
        await db.close()


async def _until_orphaned(stop: asyncio.Event) -> None:
    """A worker beside a server ends when the server is gone, however it went."""
    parent = int(os.environ.get(PARENT, "0"))
    while parent and os.getppid() == parent:  # noqa: ASYNC110 - the system sends no word
        await asyncio.sleep(1)
    if parent:
        stop.set()


@contextmanager
def worker_beside(dsn: str) -> Iterator[None]:
    """Keeps a worker running as a child process while the block runs; one that dies is started again."""
    stopping = threading.Event()
    environ = {**os.environ, "FSHNISTA_DATABASE_URL": dsn, PARENT: str(os.getpid())}
    keeper = threading.Thread(target=_keep_running, args=(environ, stopping), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        keeper.join(timeout=30)


def _keep_running(environ: dict[str, str], stopping: threading.Event) -> None:
    while not stopping.is_set():
        child = subprocess.Popen([sys.executable, "-m", "app", "worker"], env=environ, cwd=ROOT, start_new_session=True)
        while child.poll() is None and not stopping.wait(0.2):
            pass
        if child.poll() is None:
            child.terminate()
            child.wait()
        stopping.wait(1)
