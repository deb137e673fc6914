"""Clients that partners' own tools register and manage (RFC 7591, 7592), in the sandbox. The initial access token is a key or token
of the partner's; a registered client acts for the same organisation, with no more scopes than that key or token holds."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import Connection
from sqlalchemy import text as sql
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from auth import credentials
from auth.audit import record
from auth.credentials import Holder
from auth.errors import Unauthenticated
from auth.oauth.clients import GRANT_TYPES
from auth.oauth.server import NO_STORE
from auth.proofs import ALGORITHMS
from auth.redirects import check_redirect_uri
from auth.scopes import UnknownScope, parse_scopes
from auth.secrets import is_well_formed, new_secret
from auth.tokens import TOKEN_SECONDS
from auth.viewer import Viewer
from db.ids import new_id

if TYPE_CHECKING:
    from auth.identity import Identity

MOST_CLIENTS: Final = 10
LARGEST: Final = 65_536
METHODS: Final = {
    "client_secret_basic": "secret",
    "client_secret_post": "secret",
    "private_key_jwt": "private_key_jwt",
    "none": "none",
}
_PRIVATE: Final = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
_FIND: Final = "select * from clients where id = $1 and registration_hash = $2 and status = 'active'"


class WrongMetadata(ValueError):
    """What a client says of itself cannot be (RFC 7591 section 3.2.2)."""

    def __init__(self, message: str, error: str = "invalid_client_metadata") -> None:
        super().__init__(message)
        self.error = error


@dataclass(frozen=True)
class Stated:
    """What a client says of itself, checked."""

    name: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    auth_method: str
    jwks: dict[str, Any]
    dpop_bound: bool


def read_metadata(body: bytes, held: tuple[str, ...], environment: str) -> Stated:
    """Checks it; `held`: the scopes that may be given. Raises WrongMetadata."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise WrongMetadata("The body is not JSON.") from None
    if not isinstance(given, dict):
        raise WrongMetadata("The body must be a JSON object.")
    auth_method = METHODS.get(str(given.get("token_endpoint_auth_method", "client_secret_basic")))
    if auth_method is None:
        raise WrongMetadata(f"token_endpoint_auth_method must be one of {', '.join(METHODS)}.")
    if not set(_texts(given, "grant_types")) <= set(GRANT_TYPES) or not set(_texts(given, "response_types")) <= {
        "code"
    }:
        raise WrongMetadata(f"grant_types must be among {', '.join(GRANT_TYPES)}, response_types code alone.")
    return Stated(
        _name(given), _redirects(given, environment), _scopes(given, held), auth_method, _jwks(given, auth_method),
        given.get("dpop_bound_access_tokens") is True,
    )  # fmt: skip


def _texts(given: dict[str, Any], name: str) -> list[str]:
    found = given.get(name, [])
    if not isinstance(found, list) or len(found) > 20 or not all(isinstance(one, str) for one in found):
        raise WrongMetadata(f"{name} must be a list of at most 20 texts.")
    return found


def _name(given: dict[str, Any]) -> str:
    name = given.get("client_name", "A client")
    if not isinstance(name, str) or not 1 <= len(name) <= 100 or not name.isprintable():
        raise WrongMetadata("client_name must have 1 to 100 printable characters.")
    return name


def _redirects(given: dict[str, Any], environment: str) -> tuple[str, ...]:
    for uri in _texts(given, "redirect_uris"):
        fault = check_redirect_uri(uri, environment)
        if fault:
            raise WrongMetadata(fault, "invalid_redirect_uri")
    return tuple(_texts(given, "redirect_uris"))


def _scopes(given: dict[str, Any], held: tuple[str, ...]) -> tuple[str, ...]:
    asked = given.get("scope", " ".join(held))
    try:
        return parse_scopes(asked if isinstance(asked, str) else "?", held=held)
    except UnknownScope:
        raise WrongMetadata("scope must be a text of scopes that the initial access token holds.") from None


def _jwks(given: dict[str, Any], auth_method: str) -> dict[str, Any]:
    if auth_method != "private_key_jwt":
        return {"keys": []}
    jwks = given.get("jwks")
    try:
        keys = KeySet.import_key_set(jwks).keys  # type: ignore[arg-type] # checked by importing it
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        keys = []
    if not keys or not isinstance(jwks, dict) or any(_PRIVATE & set(key) for key in jwks["keys"]):
        raise WrongMetadata(f"private_key_jwt needs jwks: public keys for {', '.join(ALGORITHMS)}.")
    return jwks


class Registration:
    """The handlers."""

    def __init__(self, identity: "Identity") -> None:
        self._identity = identity

    async def register(self, request: Request) -> Response:
        """POST /oauth/register (RFC 7591)."""
        identity = self._identity
        if identity.environment != "sandbox":
            return _fault(403, "access_denied", "Clients register themselves in the sandbox alone.")
        try:
            viewer = await identity.authenticator.authenticate(
                request.headers.get("authorization"), request.headers.get("x-api-key")
            )
            stated = read_metadata(await _body(request), tuple(sorted(viewer.scopes)), identity.environment)
        except Unauthenticated as error:
            return _fault(401, error.error or "invalid_token", error.message, {"www-authenticate": error.challenge})
        except WrongMetadata as error:
            return _fault(400, error.error, str(error))
        return await self._keep(viewer, stated)

    async def _keep(self, viewer: Viewer, stated: Stated) -> Response:
        identity, client_id = self._identity, new_id("cli")
        token = new_secret("registration_token", identity.environment)
        secret = new_secret("client_secret", identity.environment) if stated.auth_method == "secret" else None
        holder = Holder(viewer.organization_id, client_id, viewer.user_id)

        def run(connection: Connection) -> bool:
            connection.execute(
                sql("select 1 from organizations where id = :id for update"), {"id": viewer.organization_id}
            )
            found = connection.execute(
                sql("select count(*) from clients where organization_id = :id and registration_hash is not null"),
                {"id": viewer.organization_id},
            )
            if found.scalar_one() >= MOST_CLIENTS:
                return False
            _insert(connection, holder, stated, identity.hasher.hash(token))
            if secret is not None:
                credentials.add(connection, "client_secrets", holder, secret, identity.hasher.hash(secret))
            return True

        async with identity.db.write() as session:
            kept = await (await session.connection()).run_sync(run)
        if not kept:
            return _fault(400, "invalid_client_metadata", f"An organisation registers at most {MOST_CLIENTS} clients.")
        shown = self._shown(client_id, stated) | {"registration_access_token": token}
        if secret is not None:
            shown |= {"client_secret": secret, "client_secret_expires_at": 0}
        return JSONResponse(shown, 201, NO_STORE)

    async def manage(self, request: Request) -> Response:
        """GET, PUT and DELETE /oauth/register/{client_id} (RFC 7592), by the registration access token."""
        row = await self._own(request)
        if row is None:
            challenge = {"www-authenticate": 'Bearer realm="fshnista", error="invalid_token"'}
            return _fault(401, "invalid_token", "Send the registration access token of this client.", challenge)
        if request.method == "DELETE":
            await self._delete(row)
            return Response(status_code=204, headers=NO_STORE)
        if request.method == "PUT":
            try:
                stated = read_metadata(await _body(request), tuple(row["scopes"]), self._identity.environment)
                if stated.auth_method != row["auth_method"]:
                    raise WrongMetadata("token_endpoint_auth_method cannot be changed; register anew.")
            except WrongMetadata as error:
                return _fault(400, error.error, str(error))
            await self._change(row, stated)
            return JSONResponse(self._shown(row["id"], stated), headers=NO_STORE)
        stated = Stated(
            row["name"], tuple(row["redirect_uris"]), tuple(row["scopes"]), row["auth_method"], row["jwks"],
            row["dpop_bound"],
        )  # fmt: skip
        return JSONResponse(self._shown(row["id"], stated), headers=NO_STORE)

    async def _own(self, request: Request) -> Any:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not is_well_formed(token, "registration_token", self._identity.environment):
            return None
        hashed = self._identity.hasher.hash(token)
        rows = await self._identity.db.fetch(_FIND, (request.path_params["client_id"].replace("\0", ""), hashed))
        return rows[0] if rows else None

    async def _change(self, row: Any, stated: Stated) -> None:
        def run(connection: Connection) -> None:
            connection.execute(
                sql(
                    "update clients set name = :name, redirect_uris = :uris, scopes = :scopes, jwks = cast(:jwks as json), "
                    "dpop_bound = :bound where id = :id"
                ),
                _values(stated) | {"id": row["id"]},
            )
            record(connection, row["organization_id"], actor=row["id"], action="client.changed", subject=row["id"])

        async with self._identity.db.write() as session:
            await (await session.connection()).run_sync(run)

    async def _delete(self, row: Any) -> None:
        """Nothing that it made goes away; it gets no more tokens, and those it has are void."""

        def run(connection: Connection) -> None:
            connection.execute(
                sql("update clients set status = 'suspended', registration_hash = null where id = :id"),
                {"id": row["id"]},
            )
            record(connection, row["organization_id"], actor=row["id"], action="client.deleted", subject=row["id"])

        async with self._identity.db.write() as session:
            await (await session.connection()).run_sync(run)
        await self._identity.revocations.revoke("client", row["id"], seconds=TOKEN_SECONDS + 60)

    def _shown(self, client_id: str, stated: Stated) -> dict[str, Any]:
        methods = {"secret": "client_secret_basic"}
        shown: dict[str, Any] = {
            "client_id": client_id, "client_name": stated.name, "redirect_uris": list(stated.redirect_uris),
            "scope": " ".join(stated.scopes), "grant_types": list(GRANT_TYPES), "response_types": ["code"],
            "token_endpoint_auth_method": methods.get(stated.auth_method, stated.auth_method),
            "dpop_bound_access_tokens": stated.dpop_bound,
            "registration_client_uri": f"{self._identity.issuer}/oauth/register/{client_id}",
        }  # fmt: skip
        return shown | ({"jwks": stated.jwks} if stated.auth_method == "private_key_jwt" else {})


def _insert(connection: Connection, holder: Holder, stated: Stated, hashed: bytes) -> None:
    connection.execute(
        sql(
            "insert into clients (id, organization_id, name, scopes, redirect_uris, tier, status, auth_method, jwks, "
            "dpop_bound, registration_hash, environment, created_at) values (:id, :organization_id, :name, :scopes, :uris, "
            "'default', 'active', :auth_method, cast(:jwks as json), :bound, :hash, 'sandbox', now())"
        ),
        _values(stated)
        | {
            "id": holder.client_id, "organization_id": holder.organization_id, "auth_method": stated.auth_method,
            "hash": hashed,
        },
    )  # fmt: skip
    details = {"scopes": list(stated.scopes), "redirect_uris": list(stated.redirect_uris)}
    record(
        connection, holder.organization_id, actor=holder.actor, action="client.registered", subject=holder.client_id,
        details=details,
    )  # fmt: skip


def _values(stated: Stated) -> dict[str, Any]:
    return {
        "name": stated.name, "uris": list(stated.redirect_uris), "scopes": list(stated.scopes),
        "jwks": json.dumps(stated.jwks), "bound": stated.dpop_bound,
    }  # fmt: skip


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise WrongMetadata(f"The body is larger than {LARGEST} bytes.")
    return body


def _fault(status: int, error: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": error, "error_description": message}, status, NO_STORE | (headers or {}))
