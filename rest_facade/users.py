"""REST v1: the user behind the token."""

from db.bodies.users import MeBody
from resolvers import users
from rest_facade import examples
from rest_facade.call import Answer, Call, shown
from rest_facade.route import Route


async def me(call: Call) -> Answer:
    """Who the token acts as."""
    return shown(await users.profile(call.ctx))


ROUTES = (
    Route(
        "GET", "/v1/me", me, "Authenticated user profile and twin status", "Identity", {200: MeBody},
        scope="profile:read", example_answer=examples.ME,
    ),
)  # fmt: skip
