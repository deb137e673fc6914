"""Every scope, what it lets a client do in plain words, and which are given only where they are named."""

from typing import Final

SCOPES: Final = {
    "profile:read": "See who you are: your handle, name and organisation",
    "storefronts:read": "See your storefronts and products, drafts included",
    "storefronts:write": "Create and change your storefronts and products",
    "inventory:read": "See your stock numbers",
    "inventory:write": "Change your stock numbers",
    "orders:read": "See orders placed in your storefronts",
    "orders:write": "Place and fulfil orders in your storefronts",
    "affiliates:read": "See your affiliate links and what they earn",
    "affiliates:write": "Create affiliate links and record conversions",
    "tryon:write": "Start virtual try-on sessions for shoppers",
    "assets:read": "See and download the files in your design vault",
    "assets:write": "Upload files to your design vault and publish them",
    "webhooks:manage": "Register addresses that are told of events",
    "preview:events": "Use the events preview of the GraphQL schema",
    "preview:recommendations": "Use the recommendations preview of the GraphQL schema",
    "preview:twin": "Keep your body measurements and tell you which size fits (a preview)",
    "platform:read": "Read everything on the platform",
}
# Never given by default: for the operator's own tools and load tests.
NAMED_ONLY: Final = frozenset({"platform:read"})
DEFAULT_SCOPES: Final = tuple(scope for scope in SCOPES if scope not in NAMED_ONLY)


class UnknownScope(ValueError):
    """A scope that does not exist, or that this client does not hold."""


def parse_scopes(text: str, *, held: tuple[str, ...] = tuple(SCOPES)) -> tuple[str, ...]:
    """A space-separated list (RFC 6749 section 3.3) as scopes in their listed order; all must be among `held`."""
    asked = text.split()
    unknown = [scope for scope in asked if scope not in held]
    if unknown:
        raise UnknownScope(" ".join(unknown))
    return tuple(scope for scope in SCOPES if scope in asked)
