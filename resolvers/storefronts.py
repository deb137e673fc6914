"""Storefronts: reading them, and what their owners may change."""

from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy.exc import IntegrityError
from sqlmodel import func, select

from db.bodies.base import encode, etag
from db.bodies.storefronts import StorefrontBody
from db.ids import new_id
from db.relations import PRODUCTS_COUNT, STOREFRONT, STOREFRONT_OWNER
from db.sessions import WriteSession
from db.tables import Product, Storefront, User
from resolvers.context import Context
from resolvers.errors import Conflict, Forbidden, NotFound, PreconditionFailed
from resolvers.inputs import ABSENT, Currency, Handle, Input, Line, Metadata, Prose
from resolvers.reads import check_id, get
from resolvers.writes import Written, write

Status = Literal["draft", "active", "paused"]
Visibility = Literal["public", "unlisted", "hidden"]
Locale = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35, examples=["en"])]


class SettingsInput(Input):
    """How a storefront sells and shows."""

    currency: Currency = ABSENT
    locale: Locale = ABSENT
    visibility: Visibility = ABSENT


class StorefrontChanges(Input):
    """What may be changed of a storefront; what is left out stays."""

    name: Line = ABSENT
    description: Prose = ABSENT
    status: Status = ABSENT
    settings: SettingsInput = ABSENT
    metadata: Metadata = ABSENT


class StorefrontInput(StorefrontChanges):
    """A new storefront. Without a status it starts as a draft."""

    handle: Handle
    name: Line


async def get_storefront(ctx: Context, *, id: str) -> Storefront:  # noqa: A002
    """The storefront with this id."""
    ctx.require("storefronts:read")
    check_id("sf", id)
    return await get(ctx, STOREFRONT, id)


async def read_storefront(ctx: Context, *, id: str) -> StorefrontBody:  # noqa: A002
    """The storefront with this id as REST tells it, in one statement."""
    ctx.require("storefronts:read")
    check_id("sf", id)
    row = await ctx.loaders.row_with(STOREFRONT, id, (STOREFRONT_OWNER,), (PRODUCTS_COUNT,))
    if row is None:
        raise NotFound("storefront", id[:64])
    return await storefront_body(ctx, row)


async def storefront_body(ctx: Context, row: Storefront) -> StorefrontBody:
    """The storefront as REST tells it to this viewer."""
    owner = await ctx.loaders.one(STOREFRONT_OWNER, row.owner_id)
    if owner is None:
        raise NotFound("user", row.owner_id)
    return StorefrontBody.of(row, owner, await ctx.loaders.aggregate(PRODUCTS_COUNT, row.id))


async def create_storefront(ctx: Context, *, given: StorefrontInput) -> Written:
    """A new storefront of the viewer's own."""
    ctx.require("storefronts:write")
    if ctx.viewer.storefront_ids is not None:
        raise Forbidden("This token is held to storefronts that exist already; it cannot create one.")
    return await write(ctx, "storefront.create", given.sent, partial(_create, ctx, given))


async def _create(ctx: Context, given: StorefrontInput, session: WriteSession) -> Written:
    now = ctx.clock()
    row = Storefront(
        id=new_id("sf"), owner_id=ctx.viewer.user_id, handle=given.handle, name=given.name,
        extra={}, created_at=now, updated_at=now,
    )  # fmt: skip
    _apply(row, given)
    session.add(row)
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict(f"The handle {given.handle} is taken; choose another.", pointer="/handle") from None
    return Written(await _owner_body(ctx, session, row), created=True)


async def update_storefront(
    ctx: Context, *, id: str, given: StorefrontChanges, if_match: str | None = None  # noqa: A002
) -> Written:  # fmt: skip
    """Changes what was sent; nothing is touched where nothing differs."""
    ctx.require("storefronts:write")
    return await write(ctx, "storefront.update", {"id": id, **given.sent}, partial(_update, ctx, id, given, if_match))


async def _update(
    ctx: Context, id: str, given: StorefrontChanges, if_match: str | None, session: WriteSession  # noqa: A002
) -> Written:  # fmt: skip
    row = await own_storefront(ctx, session, id)
    check_unchanged(if_match, await _owner_body(ctx, session, row))
    _apply(row, given)
    if session.is_modified(row):
        row.updated_at = ctx.clock()
        await session.flush()
    return Written(await _owner_body(ctx, session, row))


def _apply(row: Storefront, given: StorefrontChanges) -> None:
    sent = given.model_dump(exclude_unset=True)
    settings: dict[str, Any] = sent.pop("settings", {})
    if "metadata" in sent:
        sent["extra"] = sent.pop("metadata")
    for name, value in {**sent, **settings}.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


async def own_storefront(ctx: Context, session: WriteSession, id: str, *, shared: bool = False) -> Storefront:  # noqa: A002
    """The viewer's own storefront, locked for a change; another's that it can see is Forbidden, the rest NotFound.

    `shared`: the storefront itself stays as it is, and others may hold it so at the same time.
    """
    check_id("sf", id)
    row = (await session.exec(select(Storefront).where(Storefront.id == id).with_for_update(read=shared))).first()
    seen = row is not None and (row.reach >= 1 or row.owner_id == ctx.viewer.user_id or ctx.viewer.sight.reads_all)
    if row is None or not seen:
        raise NotFound("storefront", id[:64])
    if not ctx.viewer.may_write_storefront(row.id, row.owner_id):
        raise Forbidden(f"The storefront {row.handle} is not yours to change.")
    return row


def check_unchanged(if_match: str | None, *bodies: dict[str, Any] | None) -> None:
    """Holds a write to the representation that its caller last read (RFC 9110 section 13.1.1); None: there is none.

    Where the caller may have read one of several representations, any of them will do.
    """
    if if_match is None:
        return
    present = {etag(encode(body)) for body in bodies if body is not None}
    sent = {tag.strip() for tag in if_match.split(",")}
    if not present or not (sent & present or sent == {"*"}):
        message = "It has changed since you read it; read it again and repeat the change with its new ETag."
        raise PreconditionFailed(message)


async def _owner_body(ctx: Context, session: WriteSession, row: Storefront) -> dict[str, Any]:
    """The storefront as its owner sees it: every product counts."""
    count = select(func.count()).select_from(Product).where(Product.storefront_id == row.id)
    owner = await session.get_one(User, row.owner_id)
    return StorefrontBody.of(row, owner, (await session.exec(count)).one()).as_json()
