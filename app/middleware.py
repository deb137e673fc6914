"""Around every request: its id, its log line, its metrics, and the headers that every answer has."""

import itertools
import re
import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, BinaryIO

import orjson
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access_log import AccessLog
from app.metrics import Metrics
from db.sessions import statements_sent
from rest_facade.endpoint import send_problem

_SANE_ID = re.compile(rb"[A-Za-z0-9._:+/=@-]{1,128}")
_log = structlog.get_logger()


def request_headers(scope: Scope) -> dict[bytes, bytes]:
    """The headers by name; one sent several times is joined (RFC 9110 section 5.3)."""
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


class Middleware:
    """Plain ASGI, so that a request costs no task and no object that need not be."""

    def __init__(
        self, app: ASGIApp, sockets: ASGIApp, version: str, metrics: Metrics, access_log: AccessLog | None
    ) -> None:
        self._app, self._sockets = app, sockets
        self._version = version.encode()
        self._metrics = metrics
        self._line: Callable[[bytes], Any] | None = access_log.write if access_log is not None else None
        self._process, self._count = secrets.token_hex(6), itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection's request."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        started, counter = perf_counter(), [0]
        state = self._state(scope)
        answer_headers: list[tuple[bytes, bytes]] = state["answer_headers"]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                state["status"] = message["status"]
                message["headers"] = [*message.get("headers", ()), *answer_headers]
            await send(message)

        token = statements_sent.set(counter)
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            _log.exception("request failed", request_id=state["request_id"], path=scope["path"])
            if state["status"]:
                raise
            await send_problem(send_with_headers, error, state["request_id"])
        finally:
            statements_sent.reset(token)
            self._record(scope["method"], scope, started, counter[0])

    def _state(self, scope: Scope) -> dict[str, Any]:
        headers = request_headers(scope)
        asked = headers.get(b"x-request-id")
        request_id = asked if asked is not None and _SANE_ID.fullmatch(asked) else self._new_id()
        answer_headers = [(b"x-request-id", request_id), (b"api-version", self._version)]
        state: dict[str, Any] = {
            **scope.get("state", {}), "headers": headers, "request_id": request_id.decode(), "status": 0,
            "answer_headers": answer_headers, "route": "", "client": "",
        }  # fmt: skip
        scope["state"] = state
        return state

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a WebSocket; its line is written when it ends, with the status 101 or the code that closed it."""
        started, counter = perf_counter(), [0]
        state = self._state(scope)
        state["status"] = 101
        token = statements_sent.set(counter)
        try:
            await self._sockets(scope, receive, send)
        except Exception:
            state["status"] = 1011
            _log.exception("socket failed", request_id=state["request_id"], path=scope["path"])
            raise
        finally:
            statements_sent.reset(token)
            self._record("WS", scope, started, counter[0])

    def _new_id(self) -> bytes:
        """Unlike any other of this or another process, and cheap: `req_`, the process, a count."""
        return f"req_{self._process}{next(self._count):08x}".encode()

    def _record(self, method: str, scope: Scope, started: float, statements: int) -> None:
        state, seconds = scope["state"], perf_counter() - started
        # Of a stream, the time until it was open counts; how long it then was is no fault.
        counted = None if method == "WS" else state.get("opened", started + seconds) - started
        self._metrics.request(method, state["route"] or "other", state["status"], counted)
        if self._line is None:
            return
        line = {
            "at": datetime.now(UTC), "request_id": state["request_id"], "client": state["client"],
            "method": method, "route": state["route"] or scope["path"][:200], "status": state["status"],
            "ms": round(seconds * 1000, 2), "sql": statements,
        }  # fmt: skip
        self._line(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def standard_error() -> BinaryIO:
    """Where log lines go: standard output is for what commands print."""
    return sys.stderr.buffer
