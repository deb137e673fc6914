"""Every table, one module a domain."""

from db.tables.affiliates import AffiliateLink, Click, Conversion
from db.tables.assets import Asset, Collection, Grant
from db.tables.base import Table
from db.tables.events import Event
from db.tables.idempotency import IdempotencyKey
from db.tables.orders import Order, OrderLine
from db.tables.organizations import ApiKey, Client, ClientSecret, Organization, SigningKey, User
from db.tables.products import Inventory, Product, Variant
from db.tables.storefronts import Storefront
from db.tables.tryon import TryonSession
from db.tables.webhooks import WebhookEndpoint

__all__ = [
    "AffiliateLink",
    "ApiKey",
    "Asset",
    "Click",
    "Client",
    "ClientSecret",
    "Collection",
    "Conversion",
    "Event",
    "Grant",
    "IdempotencyKey",
    "Inventory",
    "Order",
    "OrderLine",
    "Organization",
    "Product",
    "SigningKey",
    "Storefront",
    "Table",
    "TryonSession",
    "User",
    "Variant",
    "WebhookEndpoint",
]
