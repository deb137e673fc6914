"""What joins to what, said once. The batches of the loaders and the compiled plans are both made from this page."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from db.cursors import Sort
from db.model import Aggregate, Entity, Filter, MadeRows, Relation, sorts
from db.rules import AsFar, Everyone, Visibility
from db.tables import (
    AffiliateLink,
    Asset,
    Conversion,
    Delivery,
    DeliveryAttempt,
    Event,
    FeedEntry,
    FitPreference,
    Inventory,
    KnownSize,
    Measurement,
    Order,
    OrderLine,
    Product,
    Recommendation,
    SizeChart,
    SizeChartEntry,
    Storefront,
    TryonSession,
    Twin,
    TwinConsent,
    User,
    Variant,
    WebhookEndpoint,
)

UPDATED = (
    Sort("UPDATED_AT_ASC", "updated_at", datetime),
    Sort("UPDATED_AT_DESC", "updated_at", datetime, descending=True),
)
TITLE = (Sort("TITLE_ASC", "title"), Sort("TITLE_DESC", "title", descending=True))
HANDLE = (Sort("HANDLE_ASC", "handle"), Sort("HANDLE_DESC", "handle", descending=True))
PRICE = (Sort("PRICE_ASC", "price_amount", Decimal), Sort("PRICE_DESC", "price_amount", Decimal, descending=True))

USER: Final = Entity("user", User, visible=Everyone(), listed=Visibility(owners=("id",)))

STOREFRONT: Final = Entity(
    "storefront", Storefront,
    visible=Visibility(open="{t}.reach >= 1", owners=("owner_id",), storefront="id"),
    listed=Visibility(open="{t}.reach = 2", owners=("owner_id",), storefront="id"),
    sorts=sorts(*UPDATED, *HANDLE),
    filters={
        "owner_id": Filter("{t}.owner_id = {v}"),
        "status": Filter("{t}.status = {v}"),
        "handle": Filter("{t}.handle = {v}"),
    },
)  # fmt: skip

PRODUCT: Final = Entity(
    "product", Product,
    visible=Visibility(open="{t}.reach >= 1", owners=("owner_id",), storefront="storefront_id"),
    listed=Visibility(open="{t}.reach = 2", owners=("owner_id",), storefront="storefront_id"),
    sorts=sorts(*UPDATED, *TITLE, *PRICE),
    filters={
        "storefront_id": Filter("{t}.storefront_id = {v}"),
        "status": Filter("{t}.status = {v}"),
        "visibility": Filter("{t}.visibility = {v}"),
        "sku": Filter("{t}.sku = {v}"),
        "category": Filter("{t}.category = {v}"),
        "updated_since": Filter("{t}.updated_at >= {v}"),
    },
)  # fmt: skip

# A variant is seen with its product; reached through it, the product's own rule has already decided.
_VARIANT_SEEN = Visibility(
    open="exists (select 1 from products p where p.id = {t}.product_id and p.reach >= 1)",
    owned="exists (select 1 from products p where p.id = {t}.product_id and p.owner_id = {viewer})",
    storefront="storefront_id",
)
VARIANT: Final = Entity("variant", Variant, visible=_VARIANT_SEEN, listed=Visibility())

INVENTORY: Final = Entity(
    "inventory", Inventory,
    visible=Visibility(owners=("owner_id",), storefront="storefront_id", scope="inventory:read"),
    listed=Visibility(owners=("owner_id",), storefront="storefront_id", scope="inventory:read"),
    sorts={"CREATED_AT_ASC": Sort("CREATED_AT_ASC", id="variant_id")},
)  # fmt: skip

ORDER: Final = Entity(
    "order", Order,
    visible=Visibility(owners=("owner_id",), storefront="storefront_id"),
    listed=Visibility(owners=("owner_id",), storefront="storefront_id"),
    filters={
        "storefront_id": Filter("{t}.storefront_id = {v}"),
        "status": Filter("{t}.status = {v}"),
        "external_ref": Filter("{t}.external_ref = {v}"),
    },
)  # fmt: skip

# Lines are reached through their order alone, whose rule has already decided; they keep the order in which they were sent.
ORDER_LINE: Final = Entity(
    "order_line", OrderLine, visible=Visibility(), listed=Visibility(),
    sorts={"CREATED_AT_ASC": Sort("CREATED_AT_ASC", "line", int, id="variant_id")},
)  # fmt: skip

_LINK_SEEN = Visibility(owners=("affiliate_id", "storefront_owner_id"))
# All links to products of the viewer's storefronts, whoever's they are.
STOREFRONTS_LINKS: Final = Visibility(owners=("storefront_owner_id",), storefront="storefront_id")
AFFILIATE_LINK: Final = Entity(
    "affiliate_link", AffiliateLink, visible=_LINK_SEEN, listed=Visibility(owners=("affiliate_id",)),
    filters={
        "product_id": Filter("{t}.product_id = {v}"),
        "storefront_id": Filter("{t}.storefront_id = {v}"),
        "code": Filter("{t}.code = {v}"),
    },
)  # fmt: skip

CONVERSION: Final = Entity(
    "conversion", Conversion, listed=Visibility(), visible=Visibility(
        also="exists (select 1 from affiliate_links l where l.id = {t}.link_id "
        "and {viewer} in (l.affiliate_id, l.storefront_owner_id))"
    ),
)  # fmt: skip

_OWN = Visibility(owners=("owner_id",))
_GRANTED = Visibility(
    owners=("owner_id",),
    also="exists (select 1 from grants g where g.asset_id = {t}.id and g.grantee_id = {viewer} "
    "and g.revoked_at is null and (g.expires_at is null or g.expires_at > now()) and {t}.status = 'published')",
)
ASSET: Final = Entity(
    "asset", Asset, visible=_GRANTED, listed=_GRANTED,
    filters={"status": Filter("{t}.status = {v}"), "collection_id": Filter("{t}.collection_id = {v}")},
)  # fmt: skip
TRYON_SESSION: Final = Entity("tryon_session", TryonSession, visible=_OWN, listed=_OWN)
WEBHOOK: Final = Entity("webhook", WebhookEndpoint, visible=_OWN, listed=_OWN)
# Deliveries and attempts are reached through their endpoint alone, whose rule has already decided.
DELIVERY: Final = Entity(
    "delivery", Delivery, visible=Visibility(), listed=Visibility(),
    filters={
        "status": Filter("{t}.status = {v}"),
        "type": Filter("{t}.type = {v}"),
        "since": Filter("{t}.created_at >= {v}"),
    },
)  # fmt: skip
ATTEMPT: Final = Entity(
    "attempt", DeliveryAttempt, visible=Visibility(), listed=Visibility(),
    sorts={"CREATED_AT_ASC": Sort("CREATED_AT_ASC", "number", int, id="delivery_id")},
)  # fmt: skip

# A user's log. Whoever reads everything still reads one log: an event stands in that of each user it concerns.
_TIME_OF_ULID = (
    "(select string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', "
    "((floor(extract(epoch from {v}::timestamptz) * 1000)::bigint >> (5 * i)) & 31)::int + 1, 1), '' order by i desc) "
    "from generate_series(0, 9) i)"
)
_OWN_LOG = Visibility(owners=("user_id",), storefront="storefront_id", personal=True)
EVENT: Final = Entity("event", Event, visible=Visibility(), listed=Visibility())
FEED_ENTRY: Final = Entity(
    "feed_entry", FeedEntry, visible=_OWN_LOG, listed=_OWN_LOG,
    sorts={"CREATED_AT_ASC": Sort("CREATED_AT_ASC", "position", int, id="event_id")},
    filters={
        "types": Filter("{t}.type = any({v}::text[])"),
        "since": Filter("{t}.event_id >= 'evt_' || " + _TIME_OF_ULID),
    },
)  # fmt: skip


# A twin shows to its own creator alone, through a client that the creator lets use it for a purpose, not to `platform:read`.
def _consented(user: str, purpose: str) -> Visibility:
    """Twins' rows whose column `user` is the viewer, with a consent for this purpose, or for any where it is empty."""
    narrowed = f" and c.purpose = '{purpose}'" if purpose else ""
    consent = "select 1 from twin_consents c where c.client_id = {client} and c.withdrawn_at is null"
    return Visibility(
        owned=f"({{t}}.{user} = {{viewer}} and exists ({consent} and c.user_id = {{t}}.{user}{narrowed}))",
        personal=True, creator=True,
    )  # fmt: skip


_TWIN_SEEN: Final = _consented("user_id", "measurements")
_FOR_ADVICE: Final = _consented("user_id", "size_advice")
_NEWEST = (
    "not exists (select 1 from twin_measurements n where n.user_id = {t}.user_id and n.dimension = {t}.dimension "
    "and (n.measured_at, n.id) > ({t}.measured_at, {t}.id))"
)
_TWIN_OF_VIEWER = _consented("id", "measurements")
TWIN: Final = Entity("twin", Twin, visible=_TWIN_OF_VIEWER, listed=_TWIN_OF_VIEWER)
# A client sees the consents that it was given itself, whatever they are for.
_OWN_CONSENT = Visibility(owned="({t}.user_id = {viewer} and {t}.client_id = {client})", personal=True, creator=True)
TWIN_CONSENT: Final = Entity("twin_consent", TwinConsent, visible=_OWN_CONSENT, listed=_OWN_CONSENT)
MEASUREMENT: Final = Entity(
    "measurement", Measurement, visible=_TWIN_SEEN, listed=_TWIN_SEEN,
    sorts=sorts(
        Sort("MEASURED_AT_ASC", "measured_at", datetime), Sort("MEASURED_AT_DESC", "measured_at", datetime, descending=True)
    ),
    filters={
        "dimensions": Filter("{t}.dimension = any({v}::text[])"),
        "since": Filter("{t}.measured_at >= {v}"),
        "newest": Filter("(not {v}::boolean or " + _NEWEST + ")"),
    },
)  # fmt: skip
FIT_PREFERENCE: Final = Entity("fit_preference", FitPreference, visible=_TWIN_SEEN, listed=_TWIN_SEEN)
KNOWN_SIZE: Final = Entity("known_size", KnownSize, visible=_TWIN_SEEN, listed=_TWIN_SEEN)

# A size chart is reached through its product alone, whose rule has already decided.
SIZE_CHART: Final = Entity("size_chart", SizeChart, visible=Everyone(), listed=Visibility())
SIZE_CHART_ENTRY: Final = Entity(
    "size_chart_entry", SizeChartEntry, visible=Everyone(), listed=Visibility(),
    sorts={"CREATED_AT_ASC": Sort("CREATED_AT_ASC", "position", int)},
)  # fmt: skip

# What is recommended is seen as in a list of products, and only while it can be bought.
_AS_PRODUCT = AsFar(rule=PRODUCT.listed, table="products", column="other_id")
_CAN_BE_BOUGHT = (
    "exists (select from products b where b.id = {t}.other_id and b.status = 'active') and exists (select from inventory i "
    "join variants v on v.id = i.variant_id where i.product_id = {t}.other_id and i.available > 0 and v.archived_at is null)"
)
RECOMMENDATION: Final = Entity(
    "recommendation", Recommendation, visible=_AS_PRODUCT, listed=_AS_PRODUCT,
    sorts={"CREATED_AT_ASC": Sort("SCORE_DESC", "points", int, descending=True, id="other_id")},
    filters={
        "storefront_id": Filter("exists (select from products f where f.id = {t}.other_id and f.storefront_id = {v})")
    },
)  # fmt: skip
# Of several products together: the mean of what their lists say of a product, those that do not have it included.
_TOGETHER = MadeRows(
    "with s as (select s.id from products s where s.id = any({given}) and {seen}) "
    "select min(r.product_id) as product_id, r.other_id, greatest(1, round(sum(r.points)::numeric / "
    "(select count(*) from s)))::smallint as points, "
    "(array_agg(r.reason order by r.points desc, r.product_id))[1] as reason "
    "from recommendations r join s on s.id = r.product_id where r.other_id <> all({given}) group by r.other_id",
    given="based_on", most=50, seen=PRODUCT.visible,
)  # fmt: skip

# Lists that hang on no parent.
RECOMMENDED_PRODUCTS: Final = Relation(
    "recommended_products", None, RECOMMENDATION, scope="storefronts:read", where=_CAN_BE_BOUGHT, made=_TOGETHER
)
EVENTS: Final = Relation("events", None, FEED_ENTRY, scope="preview:events")
STOREFRONTS: Final = Relation("storefronts", None, STOREFRONT, scope="storefronts:read")
PRODUCTS: Final = Relation("products", None, PRODUCT, scope="storefronts:read")
ORDERS: Final = Relation("orders", None, ORDER, scope="orders:read")
AFFILIATE_LINKS: Final = Relation("affiliate_links", None, AFFILIATE_LINK, scope="affiliates:read")
ASSETS: Final = Relation("assets", None, ASSET, scope="assets:read")
WEBHOOKS: Final = Relation("webhooks", None, WEBHOOK, scope="webhooks:manage")

# From a user.
USER_STOREFRONTS: Final = Relation(
    "storefronts_by_owner", USER, STOREFRONT, "id", "owner_id", visibility=STOREFRONT.listed, scope="storefronts:read"
)
USER_LINKS: Final = Relation(
    "affiliate_links_by_affiliate", USER, AFFILIATE_LINK, "id", "affiliate_id", scope="affiliates:read"
)
USER_TWIN: Final = Relation("twin_of_user", USER, TWIN, "id", "id", many=False, scope="preview:twin")
_MEASURED: Final = Relation(
    "measured_by_user", USER, MEASUREMENT, "id", "user_id", visibility=_consented("user_id", "")
)
TWIN_ACTIVE: Final = Aggregate("twin_active_by_user", _MEASURED, "bool_or(true)", False, kind="bool")
# What size advice looks at, which a client may be allowed without seeing it.
ADVICE_MEASUREMENTS: Final = Relation(
    "measurements_for_advice", USER, MEASUREMENT, "id", "user_id", visibility=_FOR_ADVICE, where=_NEWEST
)
ADVICE_PREFERENCES: Final = Relation(
    "preferences_for_advice", USER, FIT_PREFERENCE, "id", "user_id", visibility=_FOR_ADVICE
)
ADVICE_KNOWN_SIZES: Final = Relation(
    "known_sizes_for_advice", USER, KNOWN_SIZE, "id", "user_id", visibility=_FOR_ADVICE
)

# From a twin.
TWIN_CONSENTS: Final = Relation("consents_by_twin", TWIN, TWIN_CONSENT, "id", "user_id", scope="preview:twin")
TWIN_MEASUREMENTS: Final = Relation("measurements_by_twin", TWIN, MEASUREMENT, "id", "user_id", scope="preview:twin")
TWIN_FIT_PREFERENCES: Final = Relation(
    "fit_preferences_by_twin", TWIN, FIT_PREFERENCE, "id", "user_id", scope="preview:twin"
)
TWIN_KNOWN_SIZES: Final = Relation("known_sizes_by_twin", TWIN, KNOWN_SIZE, "id", "user_id", scope="preview:twin")
# For the creator's own copy: those given to other clients too.
ALL_CONSENTS: Final = Relation("all_consents_by_twin", TWIN, TWIN_CONSENT, "id", "user_id", visibility=_TWIN_SEEN)

# From a storefront. Its products show to whoever sees it, though it may itself be in no list.
STOREFRONT_OWNER: Final = Relation("owner_of_storefront", STOREFRONT, USER, "owner_id", "id", many=False)
STOREFRONT_PRODUCTS: Final = Relation(
    "products_by_storefront", STOREFRONT, PRODUCT, "id", "storefront_id", scope="storefronts:read",
    visibility=Visibility(
        open="({t}.visibility = 'public' and {t}.reach >= 1)", owners=("owner_id",), storefront="storefront_id"
    ),
)  # fmt: skip
STOREFRONT_INVENTORY: Final = Relation(
    "inventory_by_storefront", STOREFRONT, INVENTORY, "id", "storefront_id", scope="inventory:read"
)
PRODUCTS_COUNT: Final = Aggregate("products_count_by_storefront", STOREFRONT_PRODUCTS, "count(*)::int", 0)

# From a product.
PRODUCT_STOREFRONT: Final = Relation("storefront_of_product", PRODUCT, STOREFRONT, "storefront_id", "id", many=False)
PRODUCT_VARIANTS: Final = Relation(
    "variants_by_product", PRODUCT, VARIANT, "id", "product_id", visibility=Everyone(), where="{t}.archived_at is null"
)
PRODUCT_LINKS: Final = Relation(
    "affiliate_links_by_product", PRODUCT, AFFILIATE_LINK, "id", "product_id", scope="affiliates:read"
)
PRODUCT_INVENTORY: Final = Relation("inventory_by_product", PRODUCT, INVENTORY, "id", "product_id")
TOTAL_INVENTORY: Final = Aggregate("total_inventory_by_product", PRODUCT_INVENTORY, "sum({t}.available)::int", None)
PRODUCT_SIZE_CHART: Final = Relation(
    "size_chart_of_product", PRODUCT, SIZE_CHART, "id", "product_id", many=False, scope="preview:twin"
)
CHART_ENTRIES: Final = Relation(
    "entries_by_size_chart", SIZE_CHART, SIZE_CHART_ENTRY, "product_id", "product_id", visibility=Everyone()
)

PRODUCT_RECOMMENDATIONS: Final = Relation(
    "recommendations_by_product",
    PRODUCT,
    RECOMMENDATION,
    "id",
    "product_id",
    scope="storefronts:read",
    where=_CAN_BE_BOUGHT,
)
# The list's own rule has already decided.
RECOMMENDED_PRODUCT: Final = Relation(
    "product_of_recommendation", RECOMMENDATION, PRODUCT, "other_id", "id", many=False, visibility=Everyone()
)

# From a variant. Whether it is in stock is for all; how much of it, for its owner.
VARIANT_PRODUCT: Final = Relation("product_of_variant", VARIANT, PRODUCT, "product_id", "id", many=False)
VARIANT_INVENTORY: Final = Relation("inventory_of_variant", VARIANT, INVENTORY, "id", "variant_id", many=False)
_VARIANT_STOCK: Final = Relation("stock_of_variant", VARIANT, INVENTORY, "id", "variant_id", visibility=Everyone())
IN_STOCK: Final = Aggregate("in_stock_by_variant", _VARIANT_STOCK, "bool_or({t}.available > 0)", False, kind="bool")

# From an affiliate link.
LINK_PRODUCT: Final = Relation("product_of_affiliate_link", AFFILIATE_LINK, PRODUCT, "product_id", "id", many=False)
LINK_AFFILIATE: Final = Relation("affiliate_of_affiliate_link", AFFILIATE_LINK, USER, "affiliate_id", "id", many=False)

CONVERSION_LINK: Final = Relation(
    "link_of_conversion", CONVERSION, AFFILIATE_LINK, "link_id", "id", many=False, scope="affiliates:read"
)

# From an asset.
ASSET_OWNER: Final = Relation("owner_of_asset", ASSET, USER, "owner_id", "id", many=False)

# From an order and a try-on session.
ORDER_STOREFRONT: Final = Relation("storefront_of_order", ORDER, STOREFRONT, "storefront_id", "id", many=False)
ORDER_LINES: Final = Relation("lines_by_order", ORDER, ORDER_LINE, "id", "order_id", visibility=Everyone())
LINE_VARIANT: Final = Relation("variant_of_order_line", ORDER_LINE, VARIANT, "variant_id", "id", many=False)
TRYON_PRODUCT: Final = Relation("product_of_tryon_session", TRYON_SESSION, PRODUCT, "product_id", "id", many=False)
TRYON_VARIANT: Final = Relation("variant_of_tryon_session", TRYON_SESSION, VARIANT, "variant_id", "id", many=False)

# From a log's entry, whose rule has already decided.
ENTRY_EVENT: Final = Relation(
    "event_of_feed_entry", FEED_ENTRY, EVENT, "event_id", "id", many=False, visibility=Everyone()
)

# From a webhook endpoint.
WEBHOOK_DELIVERIES: Final = Relation(
    "deliveries_by_webhook", WEBHOOK, DELIVERY, "id", "endpoint_id", visibility=Everyone(), scope="webhooks:manage"
)
DELIVERY_ATTEMPTS: Final = Relation(
    "attempts_by_delivery", DELIVERY, ATTEMPT, "id", "delivery_id", visibility=Everyone(), scope="webhooks:manage"
)
