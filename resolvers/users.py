"""Users: who the token acts as."""

from db.bodies.users import MeBody, OrganizationBody
from db.relations import TWIN_ACTIVE, USER
from db.tables import User
from resolvers.context import Context
from resolvers.errors import NotFound
from resolvers.reads import get


async def me(ctx: Context) -> User:
    """The user that the token acts as."""
    ctx.require("profile:read")
    return await get(ctx, USER, ctx.viewer.user_id)


async def profile(ctx: Context) -> MeBody:
    """The same with its organisation and what the token allows."""
    ctx.require("profile:read")
    user = await ctx.loaders.row_with(USER, ctx.viewer.user_id, (), (TWIN_ACTIVE,))
    if user is None:
        raise NotFound("user", ctx.viewer.user_id)
    name = await ctx.db.fetch_value("select name from organizations where id = $1", [ctx.viewer.organization_id])
    return MeBody(
        id=user.id,
        handle=user.handle,
        display_name=user.display_name,
        twin_active=await ctx.loaders.aggregate(TWIN_ACTIVE, user.id),
        organization=OrganizationBody(id=ctx.viewer.organization_id, name=name),
        scopes=sorted(ctx.viewer.scopes),
        environment=ctx.platform.environment,
    )
