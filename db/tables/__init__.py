"""Every table, one module a domain."""

from db.tables.affiliates import AffiliateLink, Click, Conversion
from db.tables.assets import Asset, Collection, Grant
from db.tables.audit import AuditEntry
from db.tables.authorizations import Authorization, Consent, Passkey, PushedRequest, RefreshToken, SignIn, UsedAssertion
from db.tables.base import Table
from db.tables.deliveries import Delivery, DeliveryAttempt, DeliveryWorker, DispatchTick
from db.tables.events import Event, FeedEntry, ResourceSequence
from db.tables.idempotency import IdempotencyKey
from db.tables.orders import Order, OrderLine
from db.tables.organizations import (
    ApiKey,
    Application,
    Client,
    ClientSecret,
    Member,
    Organization,
    SigningKey,
    User,
)
from db.tables.products import Inventory, Product, Variant
from db.tables.recommendations import (
    ProductFeatures,
    ProductPair,
    Recommendation,
    RecommendationRefresh,
    RecommendationTask,
    TryonVisit,
)
from db.tables.revocations import Revocation
from db.tables.size_charts import SizeChart, SizeChartEntry
from db.tables.storefronts import Storefront
from db.tables.tryon import TryonApproval, TryonSession
from db.tables.twins import FitPreference, KnownSize, Measurement, Twin, TwinConsent
from db.tables.usage import ClientUse
from db.tables.webhooks import WebhookEndpoint, WebhookNotice, WebhookSecret

__all__ = [
    "AffiliateLink",
    "ApiKey",
    "Application",
    "Asset",
    "AuditEntry",
    "Authorization",
    "Click",
    "Client",
    "ClientSecret",
    "ClientUse",
    "Collection",
    "Consent",
    "Conversion",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryWorker",
    "DispatchTick",
    "Event",
    "FeedEntry",
    "FitPreference",
    "Grant",
    "IdempotencyKey",
    "Inventory",
    "KnownSize",
    "Measurement",
    "Member",
    "Order",
    "OrderLine",
    "Organization",
    "Passkey",
    "Product",
    "ProductFeatures",
    "ProductPair",
    "PushedRequest",
    "Recommendation",
    "RecommendationRefresh",
    "RecommendationTask",
    "RefreshToken",
    "ResourceSequence",
    "Revocation",
    "SignIn",
    "SigningKey",
    "SizeChart",
    "SizeChartEntry",
    "Storefront",
    "Table",
    "TryonApproval",
    "TryonSession",
    "TryonVisit",
    "Twin",
    "TwinConsent",
    "UsedAssertion",
    "User",
    "Variant",
    "WebhookEndpoint",
    "WebhookNotice",
    "WebhookSecret",
]
