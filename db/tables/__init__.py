"""Every table, one module a domain."""

from db.tables.affiliates import AffiliateLink, Click, Conversion
from db.tables.assets import Asset, Collection, Grant
from db.tables.base import Table
from db.tables.deliveries import Delivery, DeliveryAttempt, DeliveryWorker, DispatchTick
from db.tables.events import Event, FeedEntry, ResourceSequence
from db.tables.idempotency import IdempotencyKey
from db.tables.orders import Order, OrderLine
from db.tables.organizations import ApiKey, Client, ClientSecret, Organization, SigningKey, User
from db.tables.products import Inventory, Product, Variant
from db.tables.revocations import Revocation
from db.tables.storefronts import Storefront
from db.tables.tryon import TryonSession
from db.tables.webhooks import WebhookEndpoint, WebhookNotice, WebhookSecret

__all__ = [
    "AffiliateLink",
    "ApiKey",
    "Asset",
    "Click",
    "Client",
    "ClientSecret",
    "Collection",
    "Conversion",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryWorker",
    "DispatchTick",
    "Event",
    "FeedEntry",
    "Grant",
    "IdempotencyKey",
    "Inventory",
    "Order",
    "OrderLine",
    "Organization",
    "Product",
    "ResourceSequence",
    "Revocation",
    "SigningKey",
    "Storefront",
    "Table",
    "TryonSession",
    "User",
    "Variant",
    "WebhookEndpoint",
    "WebhookNotice",
    "WebhookSecret",
]
