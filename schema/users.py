"""GraphQL: users."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from db import tables
from db.relations import TWIN_ACTIVE, USER_LINKS, USER_STOREFRONTS, USER_TWIN
from schema.fields import connection, reduced, relation
from schema.node import Node, shows
from schema.paging import Connection
from schema.storefronts import Storefront, StorefrontFilter, StorefrontSort
from schema.twins import TWIN_PREVIEW, Twin

if TYPE_CHECKING:
    from schema.affiliates import AffiliateLink


@strawberry.type(description="A creator, or the user as which an organisation acts.")
class User(Node):
    """Resolves from a row of `users`."""

    is_type_of = shows(tables.User)
    handle: str
    display_name: str
    twin_active: bool = reduced(TWIN_ACTIVE)
    storefronts: Connection[Storefront] = connection(
        USER_STOREFRONTS, filter_type=StorefrontFilter, sort_type=StorefrontSort
    )
    affiliate_links: Connection[Annotated["AffiliateLink", strawberry.lazy("schema.affiliates")]] = connection(
        USER_LINKS, description="Those that you may see."
    )
    twin: Twin | None = relation(
        USER_TWIN, directives=[TWIN_PREVIEW],
        description="Null unless the token is this user's own, by the authorization code, and the consent MEASUREMENTS stands.",
    )  # fmt: skip
