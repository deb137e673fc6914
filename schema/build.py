"""The schema, built once at start and frozen."""

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from schema.affiliates import AffiliateLink, AffiliateMutations
from schema.assets import Asset, AssetMutations
from schema.conversions import Conversion, ConversionMutations
from schema.orders import Order, OrderMutations
from schema.products import Product, ProductMutations, ProductVariant
from schema.queries import Query
from schema.scalars import SCALARS
from schema.storefronts import Storefront, StorefrontMutations
from schema.tryon import TryonMutations, TryonSession
from schema.users import User
from schema.webhooks import Webhook, WebhookMutations

NODE_TYPES = (User, Storefront, Product, ProductVariant, AffiliateLink, Conversion, Order, Asset, TryonSession, Webhook)
MUTATIONS = (
    StorefrontMutations,
    ProductMutations,
    OrderMutations,
    AffiliateMutations,
    ConversionMutations,
    AssetMutations,
    TryonMutations,
    WebhookMutations,
)


def build_schema() -> strawberry.Schema:
    """The stable schema."""
    return strawberry.Schema(
        query=Query,
        mutation=merge_types("Mutation", MUTATIONS),
        types=NODE_TYPES,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
