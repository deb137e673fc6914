"""The client's own secrets and keys, its organisation's members and audit log. Whoever acts must be able to do all that the
client can: a narrow token that could make a wide key would be as good as a wide one."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Connection
from sqlalchemy import text as sql

from auth import credentials
from auth.audit import record
from auth.credentials import Holder, Table
from auth.scopes import SCOPES
from auth.secrets import Hasher
from auth.source import check_networks
from db.bodies.credentials import AuditEntryBody, CredentialBody, MemberBody, NewCredentialBody
from db.ids import is_id
from db.sessions import WriteSession
from resolvers.context import Context
from resolvers.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from resolvers.inputs import Input, ShortLine
from resolvers.writes import Written, write

Role = Literal["owner", "developer", "viewer"]
_LIST = (
    "select * from (select id, 'client_secret' as kind, hint, '{}'::text[] as scopes, '{}'::text[] as allowed_addresses, "
    "created_at, expires_at, last_used_at from client_secrets where client_id = $1 and revoked_at is null union all "
    "select id, 'api_key', hint, scopes, allowed_addresses, created_at, expires_at, last_used_at from api_keys "
    "where client_id = $1 and revoked_at is null) live where expires_at is null or expires_at > now() order by id"
)


class SecretInput(Input):
    """A further secret. Two may be live at once."""

    retire_others_after_seconds: int | None = Field(
        None, ge=0, le=604_800, description="The others expire after this overlap; left out, they live on."
    )


class KeyInput(Input):
    """A further sandbox key."""

    scopes: list[Literal[tuple(SCOPES)]] | None = Field(  # type: ignore[valid-type] # the words are data
        None, max_length=len(SCOPES), description="What it is held to; left out, all that the client holds."
    )
    allowed_addresses: list[ShortLine] | None = Field(
        None, max_length=50, description="Addresses and networks, such as 192.0.2.0/24."
    )
    expires_in_seconds: int | None = Field(None, ge=60, le=34_560_000)


class MemberInput(Input):
    """What a person may do for the organisation."""

    role: Role


async def role_of(ctx: Context) -> Role | None:
    """The organisation's own tokens and keys act as its owner; a person's token by that person's role."""
    viewer = ctx.viewer
    own = await ctx.db.fetch_value("select organization_id from users where id = $1", [viewer.user_id])
    if own == viewer.organization_id:
        return "owner"
    found: Role | None = await ctx.db.fetch_value(
        "select role from members where organization_id = $1 and user_id = $2", [viewer.organization_id, viewer.user_id]
    )
    return found


async def require_role(ctx: Context, *roles: Role) -> None:
    """Refuses whoever has none of these roles."""
    if await role_of(ctx) not in roles:
        raise Forbidden(f"This is for the organisation's {' or '.join(roles)}.")


async def manager(ctx: Context) -> Holder:
    """Who manages credentials: an owner or developer, by a token that holds all that the client does."""
    await require_role(ctx, "owner", "developer")
    held = await ctx.db.fetch_value("select scopes from clients where id = $1", [ctx.viewer.client_id])
    if not set(held or ()) <= ctx.viewer.scopes:
        raise Forbidden("Managing credentials needs a token with every scope that the client holds.")
    return Holder(ctx.viewer.organization_id, ctx.viewer.client_id, ctx.viewer.user_id)


async def list_credentials(ctx: Context) -> list[CredentialBody]:
    """The live secrets and keys of the viewer's client."""
    await require_role(ctx, "owner", "developer")
    rows = await ctx.db.fetch(_LIST, [ctx.viewer.client_id])
    return [CredentialBody(**dict(row)) for row in rows]


async def create_secret(ctx: Context, *, given: SecretInput) -> Written:
    """A further secret of the viewer's client."""
    holder = await manager(ctx)
    secret = _fresh(ctx, "client_secrets", holder)

    def run(connection: Connection) -> str:
        if credentials.count_live(connection, "client_secrets", holder.client_id) >= credentials.MOST_SECRETS:
            raise Conflict("There are two live secrets already; revoke one, or wait until it expires.")
        id_ = credentials.add(connection, "client_secrets", holder, secret, _hash(ctx, secret))
        if given.retire_others_after_seconds is not None:
            credentials.retire_others(connection, holder, id_, given.retire_others_after_seconds)
        return id_

    return await _made(ctx, "client_secrets", given, run, secret)


async def create_key(ctx: Context, *, given: KeyInput) -> Written:
    """A further API key of the viewer's client; in the sandbox alone."""
    if ctx.platform.environment != "sandbox":
        raise Forbidden("API keys are for the sandbox; production takes tokens alone.")
    holder = await manager(ctx)
    scopes, addresses = tuple(given.scopes or ()), tuple(given.allowed_addresses or ())
    fault = check_networks(addresses)
    if fault:
        raise Invalid(Fault("/allowed_addresses", fault))
    if not set(scopes) <= ctx.viewer.scopes:
        raise Invalid(Fault("/scopes", "must be among the scopes that the client holds"))
    secret = _fresh(ctx, "api_keys", holder)
    seconds = given.expires_in_seconds
    expires_at = None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)

    def run(connection: Connection) -> str:
        if credentials.count_live(connection, "api_keys", holder.client_id) >= credentials.MOST_KEYS:
            raise Conflict(f"A client has at most {credentials.MOST_KEYS} live keys; revoke one first.")
        return credentials.add(
            connection, "api_keys", holder, secret, _hash(ctx, secret), expires_at=expires_at, scopes=scopes,
            addresses=addresses,
        )  # fmt: skip

    return await _made(ctx, "api_keys", given, run, secret)


def _fresh(ctx: Context, table: Table, holder: Holder) -> str:
    """With an idempotency key the secret is derived from it: the answer can be repeated, and the secret is never kept."""
    key = ctx.idempotency_key
    seed = None if key is None else f"{table} {holder.client_id} {key}"
    return credentials.fresh(Hasher(ctx.platform.secret), credentials.TABLES[table], ctx.platform.environment, seed)


def _hash(ctx: Context, secret: str) -> bytes:
    return Hasher(ctx.platform.secret).hash(secret)


async def _made(ctx: Context, table: Table, given: Input, run: Any, secret: str) -> Written:
    async def act(session: WriteSession) -> Written:
        connection = await session.connection()
        id_ = await connection.run_sync(run)
        extra = (
            "scopes, allowed_addresses"
            if table == "api_keys"
            else "'{}'::text[] as scopes, '{}'::text[] as allowed_addresses"
        )
        found = await connection.execute(
            sql(f"select id, hint, {extra}, created_at, expires_at, last_used_at from {table} where id = :id"),
            {"id": id_},
        )
        body = CredentialBody(kind=credentials.TABLES[table], **found.one()._mapping)
        return Written(body.as_json(), created=True)

    written = await write(ctx, f"create {table}", given.sent, act)
    body = NewCredentialBody.model_construct(**written.body, secret=secret)
    return Written(written.body | {"secret": body.secret}, written.created, written.replayed)


async def revoke_credential(ctx: Context, *, id: str) -> None:  # noqa: A002 - the field's name
    """Revokes a secret or key of the viewer's client."""
    holder = await manager(ctx)
    done = is_id("key", id) and await _run(ctx, lambda connection: credentials.revoke(connection, holder, id))
    if not done:
        raise NotFound("api_key", id)


async def report_leak(ctx: Context, *, text: str) -> None:
    """Revokes whatever credential of ours this is. Says nothing of whether it was one."""
    hasher, environment = Hasher(ctx.platform.secret), ctx.platform.environment
    await _run(ctx, lambda connection: credentials.report_leak(connection, hasher, environment, text))


async def list_members(ctx: Context) -> list[MemberBody]:
    """The people of the viewer's organisation."""
    await require_role(ctx, "owner", "developer", "viewer")
    rows = await ctx.db.fetch(
        "select m.user_id, u.handle, m.role, m.created_at from members m join users u on u.id = m.user_id "
        "where m.organization_id = $1 order by m.user_id",
        [ctx.viewer.organization_id],
    )
    return [MemberBody(**dict(row)) for row in rows]


async def set_member(ctx: Context, *, user_id: str, given: MemberInput) -> MemberBody:
    """Makes a creator a member, or changes a member's role."""
    await require_role(ctx, "owner")
    known = await ctx.db.fetch_value("select 1 from users where id = $1 and organization_id is null", [user_id])
    if not known:
        raise NotFound("user", user_id)
    organization_id, actor = ctx.viewer.organization_id, ctx.viewer.user_id

    def run(connection: Connection) -> None:
        connection.execute(
            sql(
                "insert into members (organization_id, user_id, role, created_at) values (:organization_id, :user_id, "
                ":role, now()) on conflict (organization_id, user_id) do update set role = excluded.role"
            ),
            {"organization_id": organization_id, "user_id": user_id, "role": given.role},
        )
        record(
            connection, organization_id, actor=actor, action="member.set", subject=user_id, details={"role": given.role}
        )

    await _run(ctx, run)
    return next(member for member in await list_members(ctx) if member.user_id == user_id)


async def remove_member(ctx: Context, *, user_id: str) -> None:
    """Takes a member out."""
    await require_role(ctx, "owner")
    organization_id, actor = ctx.viewer.organization_id, ctx.viewer.user_id

    def run(connection: Connection) -> bool:
        found = connection.execute(
            sql("delete from members where organization_id = :organization_id and user_id = :user_id"),
            {"organization_id": organization_id, "user_id": user_id},
        )
        if found.rowcount:
            record(connection, organization_id, actor=actor, action="member.removed", subject=user_id)
        return bool(found.rowcount)

    if "\0" in user_id or not await _run(ctx, run):
        raise NotFound("user", user_id)


async def audit_entries(ctx: Context, *, after: int, limit: int) -> list[AuditEntryBody]:
    """The organisation's audit log from the entry after number `after`."""
    await require_role(ctx, "owner", "developer", "viewer")
    rows = await ctx.db.fetch(
        "select id, number, at, actor, action, subject, details, previous_hash, hash from audit_entries "
        "where chain = $1 and number > $2 order by number limit $3",
        [ctx.viewer.organization_id, after, limit],
    )
    return [
        AuditEntryBody(**dict(row) | {"previous_hash": row["previous_hash"].hex(), "hash": row["hash"].hex()})
        for row in rows
    ]


async def _run(ctx: Context, work: Any) -> Any:
    async with ctx.db.write() as session:
        return await (await session.connection()).run_sync(work)
