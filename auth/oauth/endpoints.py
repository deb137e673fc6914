"""The authorization server's addresses, as Starlette routes."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import orjson
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from auth.errors import Unauthenticated
from auth.oauth.account import Account
from auth.oauth.authorize import Authorize
from auth.oauth.grants import ALL_METHODS
from auth.oauth.metadata import resource_metadata, server_metadata
from auth.oauth.pushed import PUSHED_SECONDS
from auth.oauth.registration import Registration
from auth.oauth.requests import (
    LARGEST_BODY,
    ClientRequest,
    InvalidProof,
    TooManyAttempts,
    UseNonce,
    check_resource,
    printable,
    read_credentials,
    read_fields,
)
from auth.oauth.server import known_client
from auth.proofs import BadProof, NonceNeeded
from auth.tokens import Claims

if TYPE_CHECKING:
    from auth.identity import Identity

Handler = Callable[[Request], Awaitable[Response]]


def routes(identity: "Identity") -> list[Route]:
    """Every route of the authorization server."""
    machines, people, registration = Endpoints(identity), Authorize(identity), Registration(identity)
    account = Account(identity, people.ask_to_sign_in)
    table: list[tuple[list[str], str, Handler]] = [
        (["POST"], "/oauth/token", machines.token),
        (["POST"], "/oauth/revoke", machines.revoke),
        (["POST"], "/oauth/introspect", machines.introspect),
        (["POST"], "/oauth/par", machines.push),
        (["POST"], "/oauth/register", registration.register),
        (["GET", "PUT", "DELETE"], "/oauth/register/{client_id}", registration.manage),
        (["GET"], "/oauth/jwks.json", machines.jwks),
        (["GET"], "/.well-known/oauth-authorization-server", machines.metadata),
        (["GET"], "/.well-known/oauth-protected-resource", machines.resource),
        (["GET", "POST"], "/oauth/authorize", people.authorize),
        (["GET", "POST"], "/oauth/sign-in", people.sign_in),
        (["POST"], "/oauth/sign-out", people.sign_out),
        (["GET", "POST"], "/oauth/consents", account.consents),
        (["GET"], "/oauth/twin", account.twin),
        (["POST"], "/oauth/twin/erase", account.erase_twin),
        (["POST"], "/oauth/passkeys", account.add_passkey),
        (["POST"], "/oauth/passkeys/remove", account.remove_passkey),
        (["POST"], "/oauth/passkeys/sign-in", people.sign_in_by_passkey),
        (["GET"], "/oauth/passkeys.js", people.script),
        (["GET"], "/oauth/style.css", people.style),
    ]
    return [Route(path, Address(path, methods, handler)) for methods, path, handler in table]


class Address:
    """One address: tells the access log which route it is, and refuses other methods as the rest of the API does."""

    def __init__(self, path: str, methods: list[str], handler: Handler) -> None:
        self._path, self._handler = path, handler
        self._methods = [*methods, "HEAD"] if "GET" in methods else methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        state = scope.setdefault("state", {})
        state["route"] = self._path
        request = Request(scope, receive)
        allowed = scope["method"] in self._methods
        answer = (
            await self._handler(request) if allowed else self._refused(scope["method"], state.get("request_id", ""))
        )
        await answer(scope, receive, send)

    def _refused(self, method: str, request_id: str) -> Response:
        allow = ", ".join(self._methods)
        body = {
            "type": "urn:fshnista:problem:method_not_allowed", "title": "Method not allowed", "status": 405,
            "detail": f"{method} is not known here; this path takes {allow}.", "code": "method_not_allowed",
            "request_id": request_id,
        }  # fmt: skip
        return Response(orjson.dumps(body), 405, {"allow": allow}, "application/problem+json")


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
        read = ClientRequest(request.url.path, fields, request.headers, credentials, _address(request))
        read.client_record = await self._identity.clients.find(credentials.client_id)
        if credentials.method == "private_key_jwt":
            good = await self._identity.assertions.is_good(read.client_record, fields)
            read.extras["assertion_is_good"] = good
        check_resource(fields, self._identity.tokens.audience)
        await self._check_proof(request, read)
        self._check_attempts(read)
        if read.client_record is not None:
            request.scope.setdefault("state", {})["client"] = read.client_record.id
        return read

    async def _check_proof(self, request: Request, read: ClientRequest) -> None:
        """The key that the tokens are to be bound to, where the request proves one (RFC 9449 section 5)."""
        sent = request.headers.getlist("dpop")
        if not sent:
            return
        url = f"{self._identity.issuer}{request.url.path}"
        try:
            if len(sent) > 1:
                raise BadProof("Send one DPoP header.")
            needs_nonce = read.client_record is not None and read.client_record.dpop_bound
            read.thumbprint = await self._identity.proofs.check(
                sent[0], method="POST", url=url, needs_nonce=needs_nonce
            )
        except NonceNeeded as error:
            raise UseNonce(printable(str(error)), self._identity.proofs.nonces.new()) from None
        except BadProof as error:
            raise InvalidProof(printable(str(error))) from None

    def _check_attempts(self, read: ClientRequest) -> None:
        """Too many wrong credentials from one address, or for one client from there, are answered no more for a while."""
        wait = self._identity.attempts.failures(read.address, read.credentials.client_id)
        if not wait:
            return
        record = read.client_record
        if record is not None:
            self._identity.alarms.wrong_credentials(record.organization_id, record.id, read.address)
        raise TooManyAttempts(wait)

    async def _note(self, read: ClientRequest, answer: Response) -> Response:
        """Counts wrong credentials, and tells the client's owner of good ones from a foreign address. Who sent a proof gets
        the nonce for the next one (RFC 9449 section 8.2)."""
        if read.thumbprint is not None:
            answer.headers["dpop-nonce"] = self._identity.proofs.nonces.new()
        record = read.client_record
        if answer.status_code == 401:
            await self._identity.attempts.note_failure(read.address, read.credentials.client_id)
        elif record is not None and read.extras.get("foreign_address"):
            self._identity.alarms.foreign_address(record.organization_id, record.id, read.address)
        return answer

    async def token(self, request: Request) -> Response:
        """POST /oauth/token (RFC 6749 section 3.2)."""
        server = self._identity.server
        try:
            read = await self.read(request)
            if "grant_type" not in read.fields:
                raise InvalidRequestError("Send grant_type: client_credentials, authorization_code or refresh_token.")
        except OAuth2Error as error:
            refused: Response = server.handle_error_response(None, error)
            return refused
        if read.payload.grant_type in ("authorization_code", "refresh_token"):
            return await self._note(read, await self.with_connection(read, server.create_token_response))
        answer: Response = server.create_token_response(read)
        return await self._note(read, answer)

    async def with_connection(self, read: ClientRequest, work: Callable[[ClientRequest], Response]) -> Response:
        """Runs Authlib's synchronous code in one write transaction, over SQLAlchemy's greenlet bridge."""
        async with self._identity.db.write() as session:
            connection = await session.connection()

            def run(connection: Connection) -> Response:
                read.extras["connection"] = connection
                return work(read)

            return await connection.run_sync(run)

    async def push(self, request: Request) -> Response:
        """POST /oauth/par (RFC 9126): the request is checked as at the authorization endpoint, then kept."""
        server = self._identity.server
        read = None
        try:
            read = await self.read(request)
            client = server.authenticate_client(read, ALL_METHODS, "par")
            if "request_uri" in read.fields or "request" in read.fields:
                raise InvalidRequestError("A pushed request cannot refer to another.")
            known_client.set(client.record)
            read.fields.setdefault("client_id", client.record.id)
            server.get_consent_grant(read)
        except OAuth2Error as error:
            error.redirect_uri = None
            refused: Response = server.handle_error_response(None, error)
            return refused if read is None else await self._note(read, refused)
        kept = {name: value for name, value in read.fields.items() if not name.startswith("client_")}
        uri = await self._identity.pushed.keep(client.record.id, kept)
        body = {"request_uri": uri, "expires_in": PUSHED_SECONDS}
        answer: Response = server.handle_response(201, body, [("Content-Type", "application/json")])
        return await self._note(read, answer)

    async def revoke(self, request: Request) -> Response:
        """POST /oauth/revoke (RFC 7009)."""
        return await self._about_a_token(request, "revocation")

    async def introspect(self, request: Request) -> Response:
        """POST /oauth/introspect (RFC 7662); a client learns of its own tokens alone."""
        return await self._about_a_token(request, "introspection")

    async def _about_a_token(self, request: Request, endpoint: str) -> Response:
        server = self._identity.server
        try:
            read = await self.read(request)
            read.extras["claims"] = await self._claims(read.fields.get("token", ""))
        except OAuth2Error as error:
            refused: Response = server.handle_error_response(None, error)
            return refused
        answer = await self.with_connection(read, lambda asked: server.create_endpoint_response(endpoint, asked))
        if endpoint == "revocation":
            await self._identity.revocations.refresh()
        return await self._note(read, answer)

    async def _claims(self, token: str) -> Claims | None:
        if token.startswith("fsr_"):
            return None
        try:
            return await self._identity.tokens.verify(token)
        except Unauthenticated:
            return None

    async def jwks(self, request: Request) -> Response:
        """GET /oauth/jwks.json (RFC 7517): the keys that verify access tokens."""
        return _public(self._identity.keys.jwks(), seconds=60)

    async def metadata(self, request: Request) -> Response:
        """GET /.well-known/oauth-authorization-server (RFC 8414)."""
        return _public(server_metadata(self._identity.issuer, self._identity.environment), seconds=300)

    async def resource(self, request: Request) -> Response:
        """GET /.well-known/oauth-protected-resource (RFC 9728)."""
        return _public(resource_metadata(self._identity.issuer, self._identity.tokens.audience), seconds=300)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _public(body: object, *, seconds: int) -> Response:
    headers = {"cache-control": f"public, max-age={seconds}", "access-control-allow-origin": "*"}
    return Response(orjson.dumps(body), headers=headers, media_type="application/json")
