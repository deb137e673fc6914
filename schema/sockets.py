"""GraphQL over a WebSocket: the sub-protocol graphql-transport-ws (graphql-ws, PROTOCOL.md).

Queries and mutations run as over HTTP; a subscription goes on until either side completes it. Credentials come in the
handshake's headers, or in the payload of `connection_init`, since browsers can set no headers there.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.types import Message, Receive, Scope, Send

from auth.errors import AuthError, RateLimited, Unauthenticated
from auth.viewer import Viewer
from execution.engine import GraphQLRequest
from execution.outcomes import Outcome
from resolvers.errors import DomainError
from schema.operations import Asked, GraphQLSurface, print_errors, read_request
from wire.errors import HttpError
from wire.requests import read_json

PROTOCOL: Final = "graphql-transport-ws"
INIT_SECONDS: Final = 10.0
MOST_OPERATIONS: Final = 100
_LONGEST_ID, _LONGEST_REASON = 128, 123


class Closed(Exception):
    """The socket is to be closed with a code of the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class GraphQLSocket:
    """An ASGI application for the WebSocket of one GraphQL path."""

    def __init__(self, surface: GraphQLSurface, *, init_seconds: float = INIT_SECONDS) -> None:
        self._surface, self._init_seconds = surface, init_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one socket."""
        scope["state"]["route"] = scope["path"]
        await receive()  # websocket.connect
        spoken = PROTOCOL if PROTOCOL in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": spoken})
        connection = _Connection(self._surface, scope, receive, send)
        try:
            if spoken is None:
                raise Closed(4406, f"Subprotocol not acceptable; this speaks {PROTOCOL}")
            viewer = await connection.begin(self._init_seconds)
            await connection.serve(viewer)
        except Closed as closed:
            scope["state"]["status"] = closed.code
            await send({"type": "websocket.close", "code": closed.code, "reason": _short(closed.reason)})
        except _Gone:
            pass
        finally:
            await connection.end()


class _Gone(Exception):
    """The client has closed the socket."""


class _Connection:
    """One socket: its operations under way, by the ids that the client gave them."""

    def __init__(self, surface: GraphQLSurface, scope: Scope, receive: Receive, send: Send) -> None:
        self._surface, self._scope, self._receive, self._send = surface, scope, receive, send
        self._request_id: str = scope["state"]["request_id"]
        self._headers: dict[bytes, bytes] = dict(scope["state"]["headers"])
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def begin(self, seconds: float) -> Viewer:
        """Waits for `connection_init` and says who has come."""
        try:
            async with asyncio.timeout(seconds):
                message = await self._read()
                while message["type"] == "ping":
                    await self._answer(message)
                    message = await self._read()
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None
        if message["type"] == "subscribe":
            raise Closed(4401, "Unauthorized: send connection_init first")
        if message["type"] != "connection_init":
            raise Closed(4400, f"A {message['type']} may not come before connection_init")
        return await self._admit(message.get("payload"))

    async def _admit(self, payload: Any) -> Viewer:
        if not isinstance(payload, dict | None):
            raise Closed(4400, "The payload of connection_init must be an object")
        for name, value in (payload or {}).items():
            if name.lower() in ("authorization", "x-api-key") and isinstance(value, str):
                self._headers[name.lower().encode()] = value.encode("latin-1", "replace")
        try:
            viewer = await self._surface.gate.admit(self._headers, [], {**self._scope, "method": "GET"})
            self._surface.engine_for(viewer)
        except RateLimited as limited:
            raise Closed(1013, limited.message) from None
        except (AuthError, DomainError) as refused:
            raise Closed(4403, f"Forbidden: {refused}") from None
        self._scope["state"]["client"] = viewer.client_id
        return viewer

    async def serve(self, viewer: Viewer) -> None:
        """Acknowledges, then serves operations until the socket is closed, or the credentials are good no longer."""
        try:
            stream = self._surface.streams.open(viewer, lambda: self._surface.gate.recheck(self._headers, self._scope))
        except RateLimited as limited:
            raise Closed(1013, limited.message) from None
        with stream:
            await self._tell({"type": "connection_ack"})
            listening = asyncio.create_task(self._listen(viewer))
            ends: list[asyncio.Future[Any]] = [listening, stream.ended]
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
            if stream.ended.done():
                _raise_end(stream.ended.result())
            listening.result()

    async def end(self) -> None:
        """Ends what is still under way."""
        tasks = list(self._operations.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, viewer: Viewer) -> None:
        while True:
            message = await self._read()
            match message["type"]:
                case "ping" | "pong":
                    await self._answer(message)
                case "subscribe":
                    self._subscribe(viewer, message)
                case "complete":
                    self._complete(message)
                case "connection_init":
                    raise Closed(4429, "Too many initialisation requests")
                case other:
                    raise Closed(4400, f"There is no message {other!r}")

    def _subscribe(self, viewer: Viewer, message: Mapping[str, Any]) -> None:
        id_ = _id_of(message)
        if id_ in self._operations:
            raise Closed(4409, f"Subscriber for {id_} already exists")
        payload = message.get("payload")
        if not isinstance(payload, dict):
            raise Closed(4400, "The payload of subscribe must be an object with a query")
        try:
            request = read_request(payload)
        except HttpError as wrong:
            raise Closed(4400, wrong.detail) from None
        if len(self._operations) >= MOST_OPERATIONS:
            raise Closed(1013, f"More than {MOST_OPERATIONS} operations at once on one socket")
        task = self._operations[id_] = asyncio.create_task(self._operate(viewer, id_, request))
        task.add_done_callback(lambda _: self._forget(id_, task))

    def _forget(self, id_: str, task: "asyncio.Task[None]") -> None:
        if self._operations.get(id_) is task:
            del self._operations[id_]

    def _complete(self, message: Mapping[str, Any]) -> None:
        task = self._operations.pop(_id_of(message), None)
        if task is not None:
            task.cancel()

    async def _operate(self, viewer: Viewer, id_: str, request: GraphQLRequest) -> None:
        """One operation from `subscribe` to `complete` or `error`."""
        try:
            await self._surface.gate.count(viewer)
            errors = await self._run(id_, self._surface.ask(viewer, request, self._request_id))
        except Exception as error:  # noqa: BLE001 - told under its id; the socket's other operations go on
            errors = [error]
        self._operations.pop(id_, None)
        if errors:
            listed = orjson.Fragment(print_errors(errors, self._request_id))
            await self._tell({"id": id_, "type": "error", "payload": listed})
        else:
            await self._tell({"id": id_, "type": "complete"})

    async def _run(self, id_: str, asked: Asked) -> list[Exception]:
        """Tells all the outcomes of an operation; or returns why there is none."""
        if asked.kind != "subscription":
            outcome = await asked.run()
            if outcome.data is None:
                return outcome.errors
            await self._next(id_, asked, outcome)
            asked.note()
            return []
        subscription = await asked.subscribe()
        if isinstance(subscription, Outcome):
            return subscription.errors
        try:
            async for page in subscription:
                for _, outcome in page:
                    await self._next(id_, asked, outcome)
        finally:
            subscription.close()
        return []

    async def _next(self, id_: str, asked: Asked, outcome: Outcome) -> None:
        await self._tell({"id": id_, "type": "next", "payload": orjson.Fragment(asked.print(outcome))})

    async def _answer(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "ping":
            payload = {"payload": message["payload"]} if "payload" in message else {}
            await self._tell({"type": "pong", **payload})

    async def _tell(self, message: Mapping[str, Any]) -> None:
        await self._send({"type": "websocket.send", "text": orjson.dumps(message).decode()})

    async def _read(self) -> dict[str, Any]:
        received: Message = await self._receive()
        if received["type"] != "websocket.receive":
            raise _Gone
        try:
            message = read_json(received.get("text") or received.get("bytes") or b"")
        except HttpError as wrong:
            raise Closed(4400, wrong.detail) from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Closed(4400, "A message must be a JSON object with a type")
        return message


def _id_of(message: Mapping[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not 1 <= len(id_) <= _LONGEST_ID:
        raise Closed(4400, f"An operation's id must be text of 1 to {_LONGEST_ID} characters")
    return id_


def _raise_end(reason: Exception) -> None:
    if isinstance(reason, Unauthenticated):
        raise Closed(4403, f"Forbidden: {reason.message}")
    raise Closed(1012, "The server restarts; come back, and go on after your last cursor")


def _short(reason: str) -> str:
    """A close frame's reason has at most 123 bytes (RFC 6455 section 5.5)."""
    return reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
