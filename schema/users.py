"""GraphQL: users."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from db import tables
from db.relations import USER_LINKS, USER_STOREFRONTS
from schema.fields import connection
from schema.node import Node, shows
from schema.paging import Connection
from schema.storefronts import Storefront, StorefrontFilter, StorefrontSort

if TYPE_CHECKING:
    from schema.affiliates import AffiliateLink


@strawberry.type(description="A creator, or the user as which an organisation acts.")
class User(Node):
    """Resolves from a row of `users`."""

    is_type_of = shows(tables.User)
    handle: str
    display_name: str
    twin_active: bool
    storefronts: Connection[Storefront] = connection(
        USER_STOREFRONTS, filter_type=StorefrontFilter, sort_type=StorefrontSort
    )
    affiliate_links: Connection[Annotated["AffiliateLink", strawberry.lazy("schema.affiliates")]] = connection(
        USER_LINKS, description="Those that you may see."
    )
