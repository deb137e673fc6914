"""Acting from the command line: the operator works through the same resolvers as partners, as the owner it names."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from auth.scopes import SCOPES
from auth.viewer import Viewer
from db.ids import new_id
from db.relations import STOREFRONT
from db.sessions import Database
from db.tables import Organization, Storefront, User
from resolvers.context import Context, new_context
from resolvers.errors import Fault, Invalid, NotFound
from resolvers.inputs import read
from resolvers.platform import Platform
from resolvers.storefronts import StorefrontInput, create_storefront

HOUSE = "@fshnista"


def context_as(db: Database, platform: Platform, user_id: str) -> Context:
    """A context that acts as this user with every scope; no client, so no idempotency keys."""
    viewer = Viewer(user_id, "", "", frozenset(SCOPES) - {"platform:read"}, tier="internal")
    return new_context(viewer, db, platform)


async def owner_id_of(db: Database, owner: str | None) -> str:
    """The user that an organisation's or user's id means; the house's own user where none is named."""
    if owner is None:
        return await user_id_of(db, HOUSE, lambda: make_house(db))
    found = await db.fetch_value("select id from users where id = $1 or organization_id = $1", [owner])
    if found is None:
        raise Invalid(Fault("--owner", f"there is no organisation and no user {owner}"))
    return str(found)


async def user_id_of(db: Database, handle: str, make: Callable[[], Awaitable[str]]) -> str:
    """The user with this handle, made where there is none."""
    found = await db.fetch_value("select id from users where handle = $1", [handle])
    return str(found) if found is not None else await make()


async def make_house(db: Database) -> str:
    """The operator's own organisation and user, who own what nobody else was named for."""
    now = datetime.now(UTC)
    organization = Organization(id=new_id("org"), name="FSHNiSTA", created_at=now)
    user = User(
        id=new_id("usr"), organization_id=organization.id, handle=HOUSE, display_name="FSHNiSTA",
        created_at=now, updated_at=now,
    )  # fmt: skip
    async with db.write() as session:
        session.add(organization)
        await session.flush()
        session.add(user)
    return user.id


async def storefront_of(db: Database, platform: Platform, handle: str, owner: str | None) -> tuple[Context, Storefront]:
    """The storefront with this handle and its owner's context; made, active, where it is new."""
    handle = handle if handle.startswith("@") else f"@{handle}"
    found = await db.fetch("select id, owner_id from storefronts where handle = $1", [handle.lower()])
    owner_id = found[0]["owner_id"] if found else await owner_id_of(db, owner)
    ctx = context_as(db, platform, owner_id)
    if not found:
        given = read(StorefrontInput, {"handle": handle, "name": handle.removeprefix("@"), "status": "active"})
        await create_storefront(ctx, given=given)
    row = await ctx.loaders.row_by(STOREFRONT, "handle", handle.lower())
    if row is None:
        raise NotFound("storefront", handle)
    return ctx, row
