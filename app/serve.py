"""Runs the server: one process, or several that share one socket, one database and one Valkey."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from app.asgi import build_app
from app.logs import configure_logs
from app.middleware import standard_error
from app.one_write import STOPS, OneWriteProtocol
from app.parts import Parts
from app.runtime import database_url, open_parts, secret_of
from app.settings import Settings, WrongSetting, read_settings
from app.shared_limits import valkey_url
from app.worker import worker_beside
from auth.secrets import Hasher
from auth.signing_keys import SigningKeys, WrongServerSecret
from auth.tokens import TOKEN_SECONDS
from db.migrate import is_current, migrate
from db.sessions import Database
from wire.requests import LARGEST_BODY

# What the parent hands to its worker processes, beside the settings that they inherit.
_URL, _SHARES = "_FSHNISTA_LISTENS_AT", "_FSHNISTA_PROCESSES"


class Application:
    """The ASGI application that opens its parts when the server starts and closes them when it stops."""

    def __init__(self, opens: Callable[[], AbstractAsyncContextManager[Parts]]) -> None:
        self._opens = opens
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request, or the lifespan that comes before the first one."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        async with self._opens() as parts:
            self._app = build_app(parts)
            scope["state"][STOPS] = parts.streams.close
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def application() -> Application:
    """The application of this process's environment; what uvicorn's processes call."""
    configure_logs()
    settings = read_settings(os.environ)
    url, shares = os.environ[_URL], int(os.environ[_SHARES])
    return Application(
        lambda: open_parts(settings, settings.database_url, url=url, shares=shares, access_log=standard_error())
    )


def serve(
    settings: Settings, *, host: str, port: int, workers: int = 1, worker: bool = True,
    ready: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    """Serves until it is told to stop. `ready` is called when the first request can be answered."""
    check_free(host, port)
    with database_url(settings) as dsn, valkey_url(settings, workers) as limits:
        asyncio.run(_prepare_database(settings, dsn))
        os.environ["FSHNISTA_DATABASE_URL"] = dsn
        os.environ["FSHNISTA_VALKEY_URL"] = limits
        os.environ.update({_URL: f"http://{host}:{port}", _SHARES: str(workers)})
        config: dict[str, Any] = {
            "host": host, "port": port, "factory": True, "loop": "uvloop", "http": OneWriteProtocol, "access_log": False,
            "log_level": "warning", "server_header": False, "timeout_graceful_shutdown": 10, "lifespan": "on",
            "ws": "websockets-sansio", "ws_max_size": LARGEST_BODY,
        }  # fmt: skip
        # uvicorn raises the signal that ended it once more: what was started here must be ended all the same.
        signal.signal(signal.SIGTERM, _leave)
        with worker_beside(dsn) if worker else nullcontext():
            if workers > 1:
                uvicorn.run("app.serve:application", workers=workers, **config)
            else:
                _Server(uvicorn.Config("app.serve:application", **config), ready).run()


def check_free(host: str, port: int) -> None:
    """Says in one line that the address is taken or none of this machine's, before anything is started."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(address)
    except OSError as error:
        message = f"cannot listen at {host}:{port}: {error.strerror}; choose another address with --host and --port"
        raise WrongSetting(message) from None


def _leave(*_: object) -> None:
    raise SystemExit(0)


async def _prepare_database(settings: Settings, dsn: str) -> None:
    """The embedded database is brought to the newest schema; another's is only looked at. It must know our secret."""
    if not settings.database_url:
        await migrate(dsn)
    elif not await is_current(dsn):
        raise WrongSetting("the database is not at the newest schema; run ./fshnista migrate first")
    db = await Database.open(dsn, readers=1, writers=1)
    try:
        await SigningKeys.open(db, Hasher(secret_of(settings)), token_seconds=TOKEN_SECONDS)
    except WrongServerSecret as wrong:
        raise WrongSetting(f"{wrong}; give the secret that they were made with") from None
    finally:
        await db.close()


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: Any = None) -> None:
        """Starts, then tells."""
        await super().startup(sockets)
        if self.started:
            self._ready()
