"""GraphQL: products, their variants and stock."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import UNSET, Info

from db import tables
from db.relations import (
    IN_STOCK,
    PRODUCT,
    PRODUCT_LINKS,
    PRODUCT_SIZE_CHART,
    PRODUCT_STOREFRONT,
    PRODUCT_VARIANTS,
    TOTAL_INVENTORY,
    VARIANT_INVENTORY,
    VARIANT_PRODUCT,
)
from resolvers import products
from resolvers.context import Context
from resolvers.product_inputs import ProductInput
from resolvers.writes import Written
from schema.fields import connection, json_list, reduced, relation
from schema.money import Money, MoneyInput, money
from schema.mutations import OptionInput, UserError, as_input, run
from schema.node import Node, shows
from schema.paging import Connection
from schema.recommendations import Recommendation, product_recommendations
from schema.scalars import JSON
from schema.size_advice import SizeAdvice, size_advice_for
from schema.size_charts import SizeChart
from schema.twins import TWIN_PREVIEW

if TYPE_CHECKING:
    from schema.affiliates import AffiliateLink
    from schema.storefronts import Storefront


@strawberry.enum(name="ProductStatus", description="Whether a product is sold.")
class ProductStatus(Enum):
    """Kept in lower case, shown in upper case."""

    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


@strawberry.enum(name="Visibility", description="PUBLIC: in every list. UNLISTED: by its id. HIDDEN: for its owner.")
class Visibility(Enum):
    """Kept in lower case, shown in upper case."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    HIDDEN = "hidden"


@strawberry.type(name="ProductOption", description="One option of a variant, such as its size.")
class Option:
    """A name and a value."""

    name: str
    value: str


@strawberry.type(description="A picture of a product.")
class Media:
    """Where it lies, and what it shows."""

    url: str
    alt: str


@strawberry.type(description="The stock of one variant, in pieces: what can be sold, and what open orders hold.")
class Inventory:
    """Resolves from a row of `inventory`."""

    available: int
    reserved: int
    updated_at: datetime


@strawberry.type(description="What is bought: one size, one colour.")
class ProductVariant(Node):
    """Resolves from a row of `variants`."""

    is_type_of = shows(tables.Variant)
    sku: str
    options: list[Option] = json_list(Option, "options")
    price: Money = money("price")
    in_stock: bool = reduced(IN_STOCK, description="Whether it can be bought now.")
    inventory: Inventory | None = relation(VARIANT_INVENTORY, description="Null where you may not see stock numbers.")
    product: Annotated["Product", strawberry.lazy("schema.products")] = relation(VARIANT_PRODUCT)


@strawberry.type(description="A listing.")
class Product(Node):
    """Resolves from a row of `products`."""

    is_type_of = shows(tables.Product)
    sku: str
    title: str
    description: str
    status: ProductStatus
    visibility: Visibility
    price: Money = money("price")
    category: str | None
    total_inventory: int | None = reduced(
        TOTAL_INVENTORY, description="The stock of all its variants; null where you may not see stock numbers."
    )
    storefront: Annotated["Storefront", strawberry.lazy("schema.storefronts")] = relation(PRODUCT_STOREFRONT)
    variants: Connection[ProductVariant] = connection(PRODUCT_VARIANTS)
    affiliate_links: Connection[Annotated["AffiliateLink", strawberry.lazy("schema.affiliates")]] = connection(
        PRODUCT_LINKS, description="Those that you may see: your own, and all of your own storefronts'."
    )
    recommendations: Connection[Recommendation] = product_recommendations()
    media: list[Media] = json_list(Media, "media")
    extra: JSON = strawberry.field(name="metadata")
    size_chart: SizeChart | None = relation(PRODUCT_SIZE_CHART, directives=[TWIN_PREVIEW])
    size_advice: SizeAdvice | None = strawberry.field(
        resolver=size_advice_for, directives=[TWIN_PREVIEW],
        description="Which size fits the creator `twinOf`. Null unless the token is that creator's own and the consent "
        "SIZE_ADVICE stands, and where there is no chart or nothing to hold it to.",
    )  # fmt: skip
    created_at: datetime
    updated_at: datetime


@strawberry.input(description="Which products.")
class ProductFilter:
    """What is left out does not narrow the list."""

    storefront_id: strawberry.ID | None = UNSET
    status: ProductStatus | None = UNSET
    visibility: Visibility | None = UNSET
    sku: str | None = UNSET
    category: str | None = UNSET
    updated_since: datetime | None = UNSET


@strawberry.enum(description="In which order.")
class ProductSort(Enum):
    """Names of `db.relations`."""

    CREATED_AT_ASC = "CREATED_AT_ASC"
    CREATED_AT_DESC = "CREATED_AT_DESC"
    UPDATED_AT_ASC = "UPDATED_AT_ASC"
    UPDATED_AT_DESC = "UPDATED_AT_DESC"
    TITLE_ASC = "TITLE_ASC"
    TITLE_DESC = "TITLE_DESC"
    PRICE_ASC = "PRICE_ASC"
    PRICE_DESC = "PRICE_DESC"


@strawberry.input(description="A picture of a product.")
class MediaInput:
    """Where it lies, and what it shows."""

    url: str
    alt: str | None = UNSET


@strawberry.input(description="One variant; without a price of its own it has the product's.")
class ProductVariantInput:
    """Found by its SKU."""

    sku: str
    options: list[OptionInput] | None = UNSET
    price: MoneyInput | None = UNSET
    inventory: int | None = UNSET


@strawberry.input(description="A listing to create or update, found by `id`, or by `sku` within the storefront.")
class ProductUpsertInput:
    """A new product needs `title` and `price`."""

    storefront_id: strawberry.ID
    id: strawberry.ID | None = UNSET
    sku: str | None = UNSET
    title: str | None = UNSET
    description: str | None = UNSET
    price: MoneyInput | None = UNSET
    category: str | None = UNSET
    status: ProductStatus | None = UNSET
    visibility: Visibility | None = UNSET
    metadata: JSON | None = UNSET
    media: list[MediaInput] | None = UNSET
    variants: list[ProductVariantInput] | None = UNSET
    replace_variants: bool | None = UNSET


@strawberry.input(description="Which product to archive.")
class ProductArchiveInput:
    """Its id."""

    id: strawberry.ID


@strawberry.type(description="The product as it stands after the write, or what was wrong.")
class ProductPayload:
    """`product` is null where there are user errors."""

    product: Product | None
    user_errors: list[UserError]


@strawberry.type(description="The product as it stands after the write, or what was wrong.")
class ProductUpsertPayload:
    """`created` tells a new product from an updated one."""

    product: Product | None
    created: bool | None
    user_errors: list[UserError]


@strawberry.type
class ProductMutations:
    """Mirrors REST's writes."""

    @strawberry.mutation(description="Create or update a listing, by sku or id.")
    async def product_upsert(self, info: Info, input: ProductUpsertInput) -> ProductUpsertPayload:  # noqa: A002
        """`POST /v1/storefronts/{id}/products`."""

        async def act(ctx: Context) -> Written:
            given = as_input(ProductInput, input, without=("storefront_id",))
            return await products.upsert_product(ctx, storefront_id=input.storefront_id, given=given)

        return await run(info, ProductUpsertPayload, "product", PRODUCT, act, created=lambda written: written.created)

    @strawberry.mutation(description="Archive a product.")
    async def product_archive(self, info: Info, input: ProductArchiveInput) -> ProductPayload:  # noqa: A002
        """`DELETE /v1/products/{id}`."""

        async def act(ctx: Context) -> Written:
            return await products.archive_product(ctx, id=input.id)

        return await run(info, ProductPayload, "product", PRODUCT, act)
