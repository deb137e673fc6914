"""The authorization server's addresses, as Starlette routes."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import orjson
from authlib.oauth2 import OAuth2Error
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.oauth.metadata import server_metadata
from auth.oauth.requests import LARGEST_BODY, ClientRequest, read_credentials, read_fields

if TYPE_CHECKING:
    from auth.identity import Identity

Handler = Callable[[Request], Awaitable[Response]]


def routes(identity: "Identity") -> list[Route]:
    """Every route of the authorization server."""
    endpoints = Endpoints(identity)
    table: list[tuple[str, str, Handler]] = [
        ("POST", "/oauth/token", endpoints.token),
        ("GET", "/oauth/jwks.json", endpoints.jwks),
        ("GET", "/.well-known/oauth-authorization-server", endpoints.metadata),
    ]
    return [Route(path, _named(path, handler), methods=[method]) for method, path, handler in table]


def _named(path: str, handler: Handler) -> Handler:
    """The handler, telling the access log which route it is."""

    async def serve(request: Request) -> Response:
        request.scope.setdefault("state", {})["route"] = path
        return await handler(request)

    return serve


async def read_body(request: Request) -> bytes:
    """The body, up to one byte more than is taken, so that its reader refuses it."""
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > LARGEST_BODY:
            break
    return b"".join(parts)


class Endpoints:
    """The handlers, on one identity."""

    def __init__(self, identity: "Identity") -> None:
        self._identity = identity

    async def read(self, request: Request) -> ClientRequest:
        """A client's request in full, with what the database knows of the client; raises OAuth2Error."""
        fields = read_fields(await read_body(request), request.headers.get("content-type", ""))
        credentials = read_credentials(request.headers.get("authorization"), fields)
        read = ClientRequest(request.url.path, fields, request.headers, credentials)
        read.client_record = await self._identity.clients.find(credentials.client_id)
        if read.client_record is not None:
            request.scope["state"]["client"] = read.client_record.id
        return read

    async def token(self, request: Request) -> Response:
        """POST /oauth/token (RFC 6749 section 3.2)."""
        server = self._identity.server
        try:
            read = await self.read(request)
        except OAuth2Error as error:
            refused: Response = server.handle_error_response(None, error)
            return refused
        answer: Response = server.create_token_response(read)
        return answer

    async def jwks(self, request: Request) -> Response:
        """GET /oauth/jwks.json (RFC 7517): the keys that verify access tokens."""
        return _public(self._identity.keys.jwks(), seconds=60)

    async def metadata(self, request: Request) -> Response:
        """GET /.well-known/oauth-authorization-server (RFC 8414)."""
        return _public(server_metadata(self._identity.issuer), seconds=300)


def _public(body: object, *, seconds: int) -> Response:
    headers = {"cache-control": f"public, max-age={seconds}", "access-control-allow-origin": "*"}
    return Response(orjson.dumps(body), headers=headers, media_type="application/json")
