"""GraphQL: storefronts."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import UNSET, Info

from db import tables
from db.relations import PRODUCTS_COUNT, STOREFRONT, STOREFRONT_OWNER, STOREFRONT_PRODUCTS
from resolvers import storefronts
from resolvers.context import Context
from resolvers.storefronts import StorefrontChanges, StorefrontInput
from resolvers.writes import Written
from schema.fields import connection, embedded, reduced, relation
from schema.mutations import UserError, as_input, run
from schema.node import Node, shows
from schema.paging import Connection
from schema.products import Product, ProductFilter, ProductSort, Visibility
from schema.scalars import JSON, Currency

if TYPE_CHECKING:
    from schema.users import User


@strawberry.enum(name="StorefrontStatus", description="Whether a storefront sells.")
class StorefrontStatus(Enum):
    """Kept in lower case, shown in upper case."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"


@strawberry.type(description="How a storefront sells and shows.")
class StorefrontSettings:
    """Columns of the storefront's own row."""

    currency: Currency
    locale: str
    visibility: Visibility


@strawberry.type(description="A creator's shop.")
class Storefront(Node):
    """Resolves from a row of `storefronts`."""

    is_type_of = shows(tables.Storefront)
    handle: str
    name: str
    description: str
    status: StorefrontStatus
    products_count: int = reduced(PRODUCTS_COUNT, description="How many of its products you may see.")
    owner: Annotated["User", strawberry.lazy("schema.users")] = relation(STOREFRONT_OWNER)
    settings: StorefrontSettings = embedded(columns={n: n for n in ("currency", "locale", "visibility")})
    extra: JSON = strawberry.field(name="metadata")
    products: Connection[Product] = connection(STOREFRONT_PRODUCTS, filter_type=ProductFilter, sort_type=ProductSort)
    created_at: datetime
    updated_at: datetime


@strawberry.input(description="Which storefronts.")
class StorefrontFilter:
    """What is left out does not narrow the list."""

    owner_id: strawberry.ID | None = UNSET
    status: StorefrontStatus | None = UNSET
    handle: str | None = UNSET


@strawberry.enum(description="In which order.")
class StorefrontSort(Enum):
    """Names of `db.relations`."""

    CREATED_AT_ASC = "CREATED_AT_ASC"
    CREATED_AT_DESC = "CREATED_AT_DESC"
    UPDATED_AT_ASC = "UPDATED_AT_ASC"
    UPDATED_AT_DESC = "UPDATED_AT_DESC"
    HANDLE_ASC = "HANDLE_ASC"
    HANDLE_DESC = "HANDLE_DESC"


@strawberry.input(description="How a storefront sells and shows.")
class StorefrontSettingsInput:
    """What is left out stays."""

    currency: Currency | None = UNSET
    locale: str | None = UNSET
    visibility: Visibility | None = UNSET


@strawberry.input(description="A new storefront.")
class StorefrontCreateInput:
    """Without a status it starts as a draft."""

    handle: str
    name: str
    description: str | None = UNSET
    status: StorefrontStatus | None = UNSET
    settings: StorefrontSettingsInput | None = UNSET
    metadata: JSON | None = UNSET


@strawberry.input(description="What to change of a storefront; what is left out stays.")
class StorefrontUpdateInput:
    """`id` says which."""

    id: strawberry.ID
    name: str | None = UNSET
    description: str | None = UNSET
    status: StorefrontStatus | None = UNSET
    settings: StorefrontSettingsInput | None = UNSET
    metadata: JSON | None = UNSET


@strawberry.type(description="The storefront as it stands after the write, or what was wrong.")
class StorefrontPayload:
    """`storefront` is null where there are user errors."""

    storefront: Storefront | None
    user_errors: list[UserError]


@strawberry.type
class StorefrontMutations:
    """Mirrors REST's writes."""

    @strawberry.mutation(description="Create a storefront of your own.")
    async def storefront_create(self, info: Info, input: StorefrontCreateInput) -> StorefrontPayload:  # noqa: A002
        """`POST /v1/storefronts`."""

        async def act(ctx: Context) -> Written:
            return await storefronts.create_storefront(ctx, given=as_input(StorefrontInput, input))

        return await run(info, StorefrontPayload, "storefront", STOREFRONT, act)

    @strawberry.mutation(description="Change a storefront of your own; what is left out stays.")
    async def storefront_update(self, info: Info, input: StorefrontUpdateInput) -> StorefrontPayload:  # noqa: A002
        """`PATCH /v1/storefronts/{id}`."""

        async def act(ctx: Context) -> Written:
            given = as_input(StorefrontChanges, input, without=("id",))
            return await storefronts.update_storefront(ctx, id=input.id, given=given)

        return await run(info, StorefrontPayload, "storefront", STOREFRONT, act)
