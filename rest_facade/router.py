"""The surface as one ASGI application: every route of the table, 404 and 405 as problems."""

from collections import defaultdict
from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from rest_facade.endpoint import Endpoint, Surface, send_problem
from rest_facade.route import Route
from wire.errors import HttpError
from wire.responses import send_bytes


class ByMethod:
    """One path's endpoints by method; HEAD is GET without the body."""

    def __init__(self, endpoints: dict[str, ASGIApp]) -> None:
        self._endpoints = endpoints | ({"HEAD": endpoints["GET"]} if "GET" in endpoints else {})
        self._allow = ", ".join(sorted({*self._endpoints, "OPTIONS"}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands the request to its method's endpoint."""
        endpoint = self._endpoints.get(scope["method"])
        if endpoint is not None:
            await endpoint(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            await send_bytes(send, 204, {"allow": self._allow}, b"")
            return
        await send_problem(send, _wrong_method(scope, self._allow), scope["state"]["request_id"])


def endpoints(table: Iterable[Route], surface: Surface) -> list[tuple[str, ASGIApp]]:
    """The table as applications by path."""
    paths: dict[str, dict[str, ASGIApp]] = defaultdict(dict)
    for route in table:
        paths[route.path][route.method] = Endpoint(route, surface)
    return [(path, ByMethod(methods)) for path, methods in paths.items()]


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """The answer of a path that nothing stands at."""
    error = HttpError(404, "not_found", f"There is nothing at {scope['path'][:200]}.")
    await send_problem(send, error, scope["state"]["request_id"])


class Problems:
    """Starlette's routes, with their own refusals (a wrong method, a file that is not there) told as problems too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        # Only within an application does a route raise what is wrong, instead of answering in plain text.
        scope["app"] = self._app
        try:
            await self._app(scope, receive, send)
        except HTTPException as refused:
            if refused.status_code == 405:
                error = _wrong_method(scope, (refused.headers or {}).get("Allow", "GET, HEAD"))
                await send_problem(send, error, scope["state"]["request_id"])
            else:
                await not_found(scope, receive, send)


def _wrong_method(scope: Scope, allow: str) -> HttpError:
    detail = f"{scope['method']} is not known here; this path takes {allow}."
    return HttpError(405, "method_not_allowed", detail, {"allow": allow})
