"""The schemas: the stable one, and one for each set of opened previews; each built once and frozen."""

from collections.abc import Container
from functools import cache

from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from auth.scopes import SCOPES
from schema.affiliates import AffiliateLink, AffiliateMutations
from schema.assets import Asset, AssetMutations
from schema.conversions import Conversion, ConversionMutations
from schema.orders import Order, OrderMutations
from schema.products import Product, ProductMutations, ProductVariant
from schema.queries import Query
from schema.scalars import SCALARS
from schema.size_chart_mutations import SizeChartMutations
from schema.stages import SCOPE, NoPreview, OpenPreview, StagedSchema, previews_of
from schema.storefronts import Storefront, StorefrontMutations
from schema.subscriptions import Subscription
from schema.tryon import TryonMutations, TryonSession
from schema.twin_mutations import TwinMutations
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
    TwinMutations,
    SizeChartMutations,
)


ALL_PREVIEWS = frozenset(scope.removeprefix(SCOPE) for scope in SCOPES if scope.startswith(SCOPE))


@cache
def build_schema(previews: frozenset[str] = frozenset()) -> StagedSchema:
    """The stable schema with these previews and no others; without any, the stable one."""
    return StagedSchema(
        opened=previews,
        query=Query,
        mutation=merge_types("Mutation", MUTATIONS),
        subscription=Subscription,
        types=NODE_TYPES,
        config=StrawberryConfig(scalar_map=SCALARS),
    )


@cache
def open_previews() -> dict[str, OpenPreview]:
    """Every preview that there is now, by name."""
    return previews_of(build_schema(ALL_PREVIEWS))


def previews_for(scopes: Container[str]) -> frozenset[str]:
    """The previews that a token's scopes open; NoPreview where it holds the scope of none."""
    held = frozenset(name for name in ALL_PREVIEWS if SCOPE + name in scopes)
    if not held:
        raise NoPreview(ALL_PREVIEWS)
    return held.intersection(open_previews())
