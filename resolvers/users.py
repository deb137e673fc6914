"""Users: who the token acts as."""

from db.bodies.users import MeBody, OrganizationBody
from db.relations import USER
from db.tables import User
from resolvers.context import Context
from resolvers.reads import get


async def me(ctx: Context) -> User:
    """The user that the token acts as."""
    ctx.require("profile:read")
    return await get(ctx, USER, ctx.viewer.user_id)


async def profile(ctx: Context) -> MeBody:
    """The same with its organisation and what the token allows."""
    user = await me(ctx)
    name = await ctx.db.fetch_value("select name from organizations where id = $1", [ctx.viewer.organization_id])
    return MeBody(
        id=user.id,
        handle=user.handle,
        display_name=user.display_name,
        twin_active=user.twin_active,
        organization=OrganizationBody(id=ctx.viewer.organization_id, name=name),
        scopes=sorted(ctx.viewer.scopes),
        environment=ctx.platform.environment,
    )
