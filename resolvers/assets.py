"""The design vault: uploads, reading, downloads under their rights, and publishing."""

from asyncio import shield, to_thread
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import IO, Any

import structlog
from sqlmodel import col, or_, select

from db.bodies.assets import AssetBody
from db.ids import new_id
from db.relations import ASSET
from db.sessions import WriteSession
from db.tables import Asset, Collection, Grant
from resolvers.asset_inputs import AssetInput
from resolvers.context import Context
from resolvers.errors import Conflict, Fault, Forbidden, Invalid, NotFound, TooLarge
from resolvers.reads import check_id, get
from resolvers.writes import Written, write
from vault.kinds import TAKEN, Facts, UnknownKind, examine
from vault.rights import refusal
from vault.stores import Store
from webhooks.outbox import emit

LARGEST_FILE = 100 * 1024 * 1024
Reader = Callable[[int, int], Awaitable[AsyncIterator[bytes]]]
_log = structlog.get_logger()


async def get_asset(ctx: Context, *, id: str) -> Asset:  # noqa: A002
    """The asset with this id: one's own, or one that was granted and is published."""
    ctx.require("assets:read")
    return await get(ctx, ASSET, id)


async def upload_asset(ctx: Context, *, given: AssetInput, file: IO[bytes]) -> Written:
    """Takes a file into the vault of its owner's region. The file is stored before its row is, and goes if the row does not come."""
    ctx.require("assets:write")
    facts = await _examine(file)
    region = await ctx.db.fetch_value("select region from users where id = $1", [ctx.viewer.user_id])
    row_id = new_id("ast")
    store, key = ctx.platform.stores.of(region), f"assets/{row_id}"
    arguments = {**given.sent, "sha256": facts.sha256}
    async with _stored(ctx, store, key, row_id, file):
        return await write(ctx, "asset.create", arguments, partial(_create, ctx, given, facts, region, row_id, key))


async def _examine(file: IO[bytes]) -> Facts:
    try:
        facts = await to_thread(examine, file)
    except UnknownKind:
        message = f"is not a file that the vault takes, by its first bytes; it takes {TAKEN}"
        raise Invalid(Fault("/file", message, "unsupported_file")) from None
    if facts.size > LARGEST_FILE:
        raise TooLarge(f"The file is larger than {LARGEST_FILE} bytes.")
    return facts


@asynccontextmanager
async def _stored(ctx: Context, store: Store, key: str, row_id: str, file: IO[bytes]) -> AsyncIterator[None]:
    """Holds an object in the store while its row is written. Whatever ends without the row takes the object with it."""
    try:
        await store.put(key, file)
        yield
    finally:
        await shield(_sweep(ctx, store, key, row_id))


async def _sweep(ctx: Context, store: Store, key: str, row_id: str) -> None:
    """Asks the database, not the exception: a commit may have held though its answer was lost. In doubt the object stays."""
    try:
        if not await ctx.db.fetch_value("select true from assets where id = $1", [row_id]):
            await store.delete(key)
    except Exception:  # noqa: BLE001 - the upload's own outcome stands, whatever this comes to
        _log.exception("an object may be left without its row", key=key)


async def _create(
    ctx: Context, given: AssetInput, facts: Facts, region: str, row_id: str, key: str, session: WriteSession
) -> Written:  # fmt: skip
    if given.collection_id is not None:
        await _check_collection(ctx, session, given.collection_id)
    now = ctx.clock()
    row = Asset(
        id=row_id, owner_id=ctx.viewer.user_id, collection_id=given.collection_id, title=given.title,
        content_type=facts.kind.content_type, size=facts.size, sha256=facts.sha256, region=region,
        object_key=key, rights=given.rights.kept, created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    return Written(AssetBody.of(row).as_json(), created=True)


async def _check_collection(ctx: Context, session: WriteSession, id: str) -> None:  # noqa: A002
    collection = await session.get(Collection, id)
    if collection is None or collection.owner_id != ctx.viewer.user_id:
        raise Invalid(Fault("/collection_id", f"there is no collection {id} of yours", "not_found"))


async def open_asset(ctx: Context, *, id: str) -> tuple[Asset, Reader]:  # noqa: A002
    """An asset and the way to its bytes: for its owner always, for others while its rights allow it."""
    row = await get_asset(ctx, id=id)
    if row.owner_id != ctx.viewer.user_id:
        refused = refusal(row.rights, ctx.clock())
        if refused is not None:
            raise Forbidden(refused[1], code=refused[0])
    return row, partial(ctx.platform.stores.of(row.region).read, row.object_key)


async def publish_asset(ctx: Context, *, id: str) -> Written:  # noqa: A002
    """Shows an approved asset to those who were granted it, and tells them."""
    ctx.require("assets:write")
    return await write(ctx, "asset.publish", {"id": id}, partial(_publish, ctx, id))


async def _publish(ctx: Context, id: str, session: WriteSession) -> Written:  # noqa: A002
    row = await _own_asset(ctx, session, id)
    if row.status != "approved":
        raise Conflict(f"Only an approved asset can be published; this one is {row.status}.", code="not_approved")
    row.status, row.published_at = "published", ctx.clock()
    row.updated_at = row.published_at
    await session.flush()
    body = AssetBody.of(row).as_json()
    audience = [row.owner_id, *await _grantees(ctx, session, id)]
    await emit(
        session, type="design.published", resource_id=id, audience=audience, payload=body, occurred_at=ctx.clock()
    )
    return Written(body)


async def _own_asset(ctx: Context, session: WriteSession, id: str) -> Asset:  # noqa: A002
    """The viewer's own asset, locked for a change; one that it only sees is Forbidden, the rest NotFound."""
    check_id("ast", id)
    row = (await session.exec(select(Asset).where(Asset.id == id).with_for_update())).first()
    if row is not None and row.owner_id == ctx.viewer.user_id:
        return row
    if row is not None and await _shown(ctx, session, row):
        raise Forbidden("This asset is not yours to change.")
    raise NotFound("asset", id[:64])


async def _shown(ctx: Context, session: WriteSession, row: Asset) -> bool:
    """Whether somebody who does not own it sees it."""
    granted = row.status == "published" and ctx.viewer.user_id in await _grantees(ctx, session, row.id)
    return ctx.viewer.sight.reads_all or granted


async def _grantees(ctx: Context, session: WriteSession, id: str) -> list[str]:  # noqa: A002
    live: Any = or_(col(Grant.expires_at).is_(None), col(Grant.expires_at) > ctx.clock())
    query = select(Grant.grantee_id).where(Grant.asset_id == id, col(Grant.revoked_at).is_(None), live)
    return list((await session.exec(query)).all())
