"""The applications of the viewer's organisation: each a client of its own, of the sandbox or of production."""

from functools import partial
from typing import Annotated, Any, Final, Literal

from pydantic import Field
from sqlalchemy import Connection
from sqlalchemy import text as sql

from auth import credentials
from auth.audit import record
from auth.credentials import Holder
from auth.redirects import check_redirect_uri
from auth.scopes import SCOPES
from auth.secrets import Hasher
from auth.source import check_networks, is_allowed
from auth.tokens import TOKEN_SECONDS
from db.bodies.clients import ClientBody
from db.ids import is_id, new_id
from db.sessions import WriteSession
from db.tables import Client, Organization
from resolvers.context import Context
from resolvers.credentials import require_role
from resolvers.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from resolvers.inputs import ABSENT, Input, ShortLine
from resolvers.writes import Written, write

MOST_CLIENTS: Final = 20
_URI: dict[str, Any] = {
    "pattern": r"^https://([a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?\.){1,3}[a-z]{2,20}(/[A-Za-z0-9._~-]*)?$"
}
# What is described is narrower than what is taken: networks of other sizes, IPv6.
_OCTET: Final = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_NETWORK: dict[str, Any] = {"pattern": rf"^({_OCTET}\.){{3}}({_OCTET}|0/24)$"}
RedirectUri = Annotated[
    str, Field(min_length=1, max_length=2000, examples=["https://example.com/back"], json_schema_extra=_URI)
]
Network = Annotated[ShortLine, Field(examples=["192.0.2.0/24"], json_schema_extra=_NETWORK)]


class ClientChanges(Input):
    """What may be changed of a client; what is left out stays. A suspended one gets no tokens, and those it has are void."""

    name: ShortLine = ABSENT
    redirect_uris: Annotated[list[RedirectUri], Field(max_length=20)] = ABSENT
    allowed_addresses: Annotated[
        list[Network], Field(max_length=50, description="Addresses and networks; an empty list: everywhere.")
    ] = ABSENT
    status: Literal["active", "suspended"] = ABSENT


class ClientInput(Input):
    """A new client. Left out: the environment of this server, and every scope that your token holds."""

    name: ShortLine
    environment: Literal["sandbox", "production"] = ABSENT
    scopes: Annotated[
        list[Literal[tuple(SCOPES)]],  # type: ignore[valid-type] # the words are data
        Field(min_length=1, max_length=len(SCOPES)),
    ] = ABSENT
    redirect_uris: Annotated[list[RedirectUri], Field(max_length=20)] = ABSENT
    allowed_addresses: Annotated[list[Network], Field(max_length=50)] = ABSENT
    dpop_bound: bool = Field(
        False, description="Its tokens are bound to a key (RFC 9449), and its proofs need a nonce."
    )


async def list_clients(ctx: Context) -> list[ClientBody]:
    """Every client of the organisation, oldest first."""
    await require_role(ctx, "owner", "developer")
    names = ", ".join(ClientBody.model_fields)
    rows = await ctx.db.fetch(
        f"select {names} from clients where organization_id = $1 order by id", [ctx.viewer.organization_id]
    )
    return [ClientBody(**dict(row)) for row in rows]


async def get_client(ctx: Context, *, id: str) -> ClientBody:  # noqa: A002 - the field's name
    """One of them."""
    found = [client for client in await list_clients(ctx) if client.id == id]
    if not found:
        raise NotFound("client", id)
    return found[0]


async def create_client(ctx: Context, *, given: ClientInput) -> Written:
    """A further client with its secret, which is part of this answer and of no other."""
    await require_role(ctx, "owner")
    scopes = tuple(given.scopes or sorted(ctx.viewer.scopes))
    if not set(scopes) <= ctx.viewer.scopes:
        raise Invalid(Fault("/scopes", "must be among the scopes that your token holds"))
    environment = given.environment or ctx.platform.environment
    _check(given.redirect_uris, given.allowed_addresses, environment)
    row = Client(
        id=new_id("cli"), organization_id=ctx.viewer.organization_id, name=given.name, environment=environment,
        scopes=list(scopes), redirect_uris=given.redirect_uris or [], allowed_addresses=given.allowed_addresses or [],
        dpop_bound=given.dpop_bound, jwks={"keys": []}, created_at=ctx.clock(),
    )  # fmt: skip
    secret = _secret(ctx, environment)
    written = await write(ctx, "client.create", given.sent, partial(_create, ctx, row, secret))
    return Written(written.body | {"client_secret": secret}, written.created, written.replayed)


def _secret(ctx: Context, environment: str) -> str:
    """With an idempotency key it is derived from it: the answer can be repeated, and the secret is never kept."""
    key = ctx.idempotency_key
    seed = None if key is None else f"clients {ctx.viewer.client_id} {key}"
    return credentials.fresh(Hasher(ctx.platform.secret), "client_secret", environment, seed)


async def _create(ctx: Context, row: Client, secret: str, session: WriteSession) -> Written:
    organization = await session.get(Organization, row.organization_id, with_for_update=True)
    connection = await session.connection()
    found = await connection.execute(
        sql("select count(*) from clients where organization_id = :id and status = 'active'"),
        {"id": row.organization_id},
    )
    if organization is None or found.scalar_one() >= MOST_CLIENTS:
        raise Conflict(f"An organisation has at most {MOST_CLIENTS} active clients; suspend one first.")
    session.add(row)
    await session.flush()
    holder = Holder(row.organization_id, row.id, ctx.viewer.user_id)
    hashed = Hasher(ctx.platform.secret).hash(secret)

    def run(connection: Connection) -> None:
        details = {name: getattr(row, name) for name in ("environment", "scopes", "redirect_uris", "allowed_addresses")}
        _record(connection, holder, "client.created", details)
        credentials.add(connection, "client_secrets", holder, secret, hashed)

    await connection.run_sync(run)
    return Written(_body(row), created=True)


async def update_client(ctx: Context, *, id: str, given: ClientChanges, address: str) -> ClientBody:  # noqa: A002
    """Changes a client. `address`: where the request came from; nobody shuts the door that he is standing in."""
    await require_role(ctx, "owner")
    changes = {name: getattr(given, name) for name in given.model_fields_set}
    _check_own(ctx, id, changes, address)
    async with ctx.db.write() as session:
        row = await session.get(Client, id, with_for_update=True) if is_id("cli", id) else None
        if row is None or row.organization_id != ctx.viewer.organization_id:
            raise NotFound("client", id)
        _check_held(ctx, row)
        _check(given.redirect_uris, given.allowed_addresses, row.environment)
        before = {name: getattr(row, name) for name in changes}
        if before != changes:
            for name, value in changes.items():
                setattr(row, name, value)
            await session.flush()
            await (await session.connection()).run_sync(partial(_note_change, ctx, row, before))
        return ClientBody(**_values(row))


def _note_change(ctx: Context, row: Client, before: dict[str, Any], connection: Connection) -> None:
    details = {name: {"from": value, "to": getattr(row, name)} for name, value in before.items()}
    _record(connection, Holder(row.organization_id, row.id, ctx.viewer.user_id), "client.changed", details)
    credentials.announce(connection, "changed", row.id, 60)
    if row.status == "suspended" and before.get("status") == "active":
        credentials.announce(connection, "client", row.id, TOKEN_SECONDS + 60)


def _check(uris: list[str] | None, addresses: list[str] | None, environment: str) -> None:
    """Names every fault of both lists."""
    faults = [
        Fault(f"/redirect_uris/{place}", fault)
        for place, uri in enumerate(uris or ())
        if (fault := check_redirect_uri(uri, environment))
    ]
    faults += [
        Fault(f"/allowed_addresses/{place}", fault)
        for place, address in enumerate(addresses or ())
        if (fault := check_networks((address,)))
    ]
    if faults:
        raise Invalid(*faults)


def _check_own(ctx: Context, id_: str, changes: dict[str, Any], address: str) -> None:
    if id_ != ctx.viewer.client_id:
        return
    if changes.get("status") == "suspended":
        raise Conflict("A client cannot suspend itself; ask with another client of yours.")
    if not is_allowed(address, tuple(changes.get("allowed_addresses", ()))):
        raise Invalid(Fault("/allowed_addresses", f"would shut out {address}, from where this request comes"))


def _check_held(ctx: Context, row: Client) -> None:
    """A narrow token that could turn a wide client's redirects would be as good as a wide one."""
    if not set(row.scopes) <= ctx.viewer.scopes:
        raise Forbidden("Changing a client needs a token with every scope that the client holds.")


def _record(connection: Connection, holder: Holder, action: str, details: dict[str, Any]) -> None:
    record(
        connection, holder.organization_id, actor=holder.actor, action=action, subject=holder.client_id, details=details
    )


def _values(row: Client) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ClientBody.model_fields}


def _body(row: Client) -> dict[str, Any]:
    return ClientBody(**_values(row)).as_json()
