"""Examples that the OpenAPI document shows; a test holds each to the model it stands for."""

from typing import Any, Final

_ULID = "01JD3T8Q5YB9N7K0V2M4XWZC6R"
_WHEN = "2026-11-23T09:30:00.125Z"
_PRICE = {"amount": "189.00", "currency": "EUR"}

ME: Final[dict[str, Any]] = {
    "id": f"usr_{_ULID}",
    "handle": "@yourbrand",
    "display_name": "Your Brand",
    "twin_active": True,
    "organization": {"id": f"org_{_ULID}", "name": "Your Brand"},
    "scopes": ["profile:read", "storefronts:read"],
    "environment": "sandbox",
}
STOREFRONT: Final[dict[str, Any]] = {
    "id": f"sf_{_ULID}",
    "handle": "@yourbrand",
    "name": "Your Brand",
    "description": "Raw denim, made to order.",
    "status": "active",
    "products_count": 24,
    "owner": {"id": f"usr_{_ULID}", "handle": "@yourbrand"},
    "settings": {"currency": "EUR", "locale": "en", "visibility": "public"},
    "metadata": {"season": "AW26"},
    "created_at": _WHEN,
    "updated_at": _WHEN,
}
PRODUCT_INPUT: Final[dict[str, Any]] = {
    "sku": "JKT-01",
    "title": "Chore jacket in indigo",
    "description": "Twelve-ounce denim, three patch pockets.",
    "price": _PRICE,
    "category": "Jackets",
    "status": "active",
    "variants": [
        {"sku": "JKT-01-M", "options": {"size": "M"}, "inventory": 14},
        {"sku": "JKT-01-L", "options": {"size": "L"}, "inventory": 0},
    ],
}
PRODUCT: Final[dict[str, Any]] = {
    "id": f"prd_{_ULID}",
    "storefront_id": f"sf_{_ULID}",
    "sku": "JKT-01",
    "title": "Chore jacket in indigo",
    "description": "Twelve-ounce denim, three patch pockets.",
    "price": _PRICE,
    "category": "Jackets",
    "status": "active",
    "visibility": "public",
    "metadata": {},
    "media": [{"url": "https://cdn.example.com/jkt-01.jpg", "alt": "The jacket from the front"}],
    "variants": [
        {
            "id": f"var_{_ULID}",
            "sku": "JKT-01-M",
            "options": {"size": "M"},
            "price": _PRICE,
            "in_stock": True,
            "available": 14,
        }
    ],
    "total_inventory": 14,
    "created_at": _WHEN,
    "updated_at": _WHEN,
}
INVENTORY: Final[dict[str, Any]] = {
    "variant_id": f"var_{_ULID}",
    "product_id": f"prd_{_ULID}",
    "sku": "JKT-01-M",
    "available": 14,
    "reserved": 2,
    "updated_at": _WHEN,
}
ORDER_INPUT: Final[dict[str, Any]] = {
    "storefront_id": f"sf_{_ULID}",
    "lines": [{"sku": "JKT-01-M", "quantity": 1}],
    "external_ref": "1001",
}
ORDER: Final[dict[str, Any]] = {
    "id": f"ord_{_ULID}",
    "storefront_id": f"sf_{_ULID}",
    "status": "created",
    "lines": [
        {
            "variant_id": f"var_{_ULID}",
            "sku": "JKT-01-M",
            "title": "Chore jacket in indigo",
            "quantity": 1,
            "price": _PRICE,
        }
    ],
    "total": _PRICE,
    "click_id": None,
    "external_ref": "1001",
    "created_at": _WHEN,
    "updated_at": _WHEN,
    "fulfilled_at": None,
}
ASSET_INPUT: Final[dict[str, Any]] = {
    "file": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path fill="#223a5e" d="M0 0h8v8H0z"/></svg>',
    "title": "Indigo twill, autumn 2026",
    "rights": {"license": "editorial", "territories": ["FR", "DE"], "ai_training": False},
}
ASSET: Final[dict[str, Any]] = {
    "id": f"ast_{_ULID}",
    "title": "Indigo twill, autumn 2026",
    "status": "pending_review",
    "review_reason": None,
    "content_type": "image/svg+xml",
    "size": 102,
    "sha256": "345d93d25072af0c0d27b8ee15e514ed094c49fcf6cf01460f1a27a6ce5a4b0c",
    "region": "eu",
    "owner_id": f"usr_{_ULID}",
    "collection_id": None,
    "rights": {
        "license": "editorial",
        "territories": ["FR", "DE"],
        "embargo_until": None,
        "expires_at": None,
        "ai_training": False,
    },
    "created_at": _WHEN,
    "updated_at": _WHEN,
    "published_at": None,
}
LINK_INPUT: Final[dict[str, Any]] = {"product_id": f"prd_{_ULID}", "code": "autumn-coat", "commission_rate": "0.10"}
LINK: Final[dict[str, Any]] = {
    "id": f"aff_{_ULID}",
    "code": "autumn-coat",
    "url": "https://api.fshnista.com/a/autumn-coat",
    "destination_url": "https://fshnista.com/@yourbrand/JKT-01",
    "product_id": f"prd_{_ULID}",
    "storefront_id": f"sf_{_ULID}",
    "clicks": 120,
    "conversions": 3,
    "conversion_rate": "0.0250",
    "revenue": {"amount": "567.00", "currency": "EUR"},
    "commission": {"amount": "56.70", "currency": "EUR"},
    "commission_rate": "0.1000",
    "metadata": {},
    "created_at": _WHEN,
}
CONVERSION_INPUT: Final[dict[str, Any]] = {"click_id": f"clk_{_ULID}", "order_ref": "1001", "amount": _PRICE}
CONVERSION: Final[dict[str, Any]] = {
    "id": f"cnv_{_ULID}",
    "link_id": f"aff_{_ULID}",
    "click_id": f"clk_{_ULID}",
    "order_ref": "1001",
    "amount": _PRICE,
    "commission": {"amount": "18.90", "currency": "EUR"},
    "occurred_at": _WHEN,
    "created_at": _WHEN,
}
REPORT: Final[dict[str, Any]] = {
    "from": "2026-11-01T00:00:00.000Z",
    "to": "2026-12-01T00:00:00.000Z",
    "group_by": "day",
    "data": [
        {
            "day": "2026-11-23",
            "link_id": None,
            "code": None,
            "product_id": None,
            "storefront_id": None,
            "clicks": 120,
            "conversions": 3,
            "conversion_rate": "0.0250",
            "revenue": {"amount": "567.00", "currency": "EUR"},
            "commission": {"amount": "56.70", "currency": "EUR"},
        }
    ],
}
TRYON_SESSION_INPUT: Final[dict[str, Any]] = {
    "product_id": f"prd_{_ULID}",
    "use_case": "product_page",
    "origin": "https://shop.example.com",
    "ttl_seconds": 900,
    "consent": True,
}
TRYON_SESSION: Final[dict[str, Any]] = {
    "id": f"tos_{_ULID}",
    "status": "created",
    "product_id": f"prd_{_ULID}",
    "variant_id": None,
    "use_case": "product_page",
    "origin": "https://shop.example.com",
    "subject": None,
    "created_at": _WHEN,
    "expires_at": "2026-11-23T09:45:00.000Z",
}
NEW_TRYON_SESSION: Final[dict[str, Any]] = {
    **TRYON_SESSION,
    "token": "eyJhbGciOiJIUzI1NiIsInR5cCI6InRyeW9uK2p3dCJ9.eyJzdWIiOiJ0b3NfIn0.c2lnbmF0dXJl",
    "url": "https://api.example.com/tryon/eyJhbGciOiJIUzI1NiIsInR5cCI6InRyeW9uK2p3dCJ9.eyJzdWIiOiJ0b3NfIn0.c2lnbmF0dXJl",
}
WEBHOOK_SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwVYwR9Jc0m2s="  # noqa: S105 - an example
_PUBLIC_KEY = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
WEBHOOK_INPUT: Final[dict[str, Any]] = {
    "url": "https://example.com/hooks",
    "events": ["order.created", "order.fulfilled"],
    "description": "Our order desk",
}
WEBHOOK: Final[dict[str, Any]] = {
    "id": f"whk_{_ULID}",
    **WEBHOOK_INPUT,
    "status": "enabled",
    "status_reason": None,
    "storefront_ids": [],
    "ordered": False,
    "concurrency": 10,
    "rate_limit": None,
    "public_keys": [_PUBLIC_KEY],
    "created_at": _WHEN,
    "updated_at": _WHEN,
}
WEBHOOK_KEY: Final[dict[str, Any]] = {
    "id": f"key_{_ULID}",
    "hint": "…0m2s=",
    "public_key": _PUBLIC_KEY,
    "created_at": _WHEN,
    "expires_at": None,
}
WEBHOOK_KEY_SET: Final[dict[str, Any]] = {
    "keys": [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            "use": "sig",
            "alg": "EdDSA",
        }
    ]
}
DELIVERY: Final[dict[str, Any]] = {
    "id": f"dlv_{_ULID}",
    "webhook_id": f"whk_{_ULID}",
    "event_id": f"evt_{_ULID}",
    "event_type": "order.created",
    "resource": {"id": f"ord_{_ULID}", "sequence": 1},
    "cause": "event",
    "status": "delivered",
    "attempt_count": 1,
    "next_attempt_at": None,
    "last_status": 200,
    "last_error": None,
    "created_at": _WHEN,
    "finished_at": _WHEN,
    "attempts": [
        {
            "number": 1,
            "url": "https://example.com/hooks",
            "started_at": _WHEN,
            "duration_ms": 84,
            "outcome": "delivered",
            "status": 200,
            "error": None,
            "request_headers": {"webhook-id": f"evt_{_ULID}", "webhook-timestamp": "1795426200"},
            "response_headers": {"content-type": "text/plain"},
            "response_body": "ok",
        }
    ],
}
WEBHOOK_HEALTH: Final[dict[str, Any]] = {
    "status": "enabled",
    "failing_since": None,
    "backlog": 0,
    "oldest_at": None,
    "attempts": {"delivered": 1204, "timeout": 3},
    "first_attempt_ms": {"p50": 41, "p95": 88, "p99": 160},
    "notices": [],
}
EVENT: Final[dict[str, Any]] = {
    "id": f"evt_{_ULID}",
    "type": "order.created",
    "version": "1",
    "occurred_at": _WHEN,
    "resource": {"id": f"ord_{_ULID}", "sequence": 1},
    "data": ORDER,
}
EVENT_TYPE: Final[dict[str, Any]] = {
    "name": "order.created",
    "group": "Commerce",
    "version": "1",
    "description": "An order was placed in a storefront; its stock is reserved.",
    "schema": {"type": "object"},
    "example": EVENT,
}
CREDENTIAL: Final[dict[str, Any]] = {
    "id": f"key_{_ULID}",
    "kind": "client_secret",
    "hint": "fss_test_...9aZq",
    "scopes": [],
    "allowed_addresses": [],
    "created_at": _WHEN,
    "expires_at": None,
    "last_used_at": _WHEN,
}
NEW_SECRET: Final[dict[str, Any]] = CREDENTIAL | {"last_used_at": None, "secret": "fss_test_..."}
NEW_KEY: Final[dict[str, Any]] = NEW_SECRET | {
    "kind": "api_key",
    "hint": "fsh_test_...b7Xe",
    "scopes": ["storefronts:read"],
    "allowed_addresses": ["192.0.2.0/24"],
    "secret": "fsh_test_...",
}
CLIENT_INPUT: Final[dict[str, Any]] = {
    "name": "Our shop's back end",
    "scopes": ["profile:read", "storefronts:read"],
    "allowed_addresses": ["192.0.2.0/24"],
}
CLIENT: Final[dict[str, Any]] = {
    "id": f"cli_{_ULID}",
    "name": "Our shop's back end",
    "environment": "sandbox",
    "status": "active",
    "tier": "default",
    "scopes": ["profile:read", "storefronts:read"],
    "redirect_uris": [],
    "allowed_addresses": ["192.0.2.0/24"],
    "dpop_bound": False,
    "created_at": _WHEN,
}
MEMBER: Final[dict[str, Any]] = {
    "user_id": f"usr_{_ULID}",
    "handle": "@mara",
    "role": "developer",
    "created_at": _WHEN,
}
AUDIT_ENTRY: Final[dict[str, Any]] = {
    "id": f"aud_{_ULID}",
    "number": 1,
    "at": _WHEN,
    "actor": f"usr_{_ULID}",
    "action": "api_key.created",
    "subject": f"key_{_ULID}",
    "details": {"hint": "fsh_test_...b7Xe"},
    "previous_hash": "0" * 64,
    "hash": "5f" * 32,
}
APPLICATION_INPUT: Final[dict[str, Any]] = {
    "organization_name": "Atelier Nord",
    "contact_email": "api@ateliernord.example",
    "use_case": "Keep our storefront in step with the shop.",
    "expected_volume": "2,000 requests an hour",
    "timeline": "Live in March",
}
APPLICATION: Final[dict[str, Any]] = {
    "id": f"app_{_ULID}",
    "organization_name": "Atelier Nord",
    "status": "pending",
    "reason": None,
    "created_at": _WHEN,
    "decided_at": None,
}
CHANGES: Final[dict[str, Any]] = {
    "from": "1.0.0",
    "to": "next",
    "step": "minor",
    "touching_you": 1,
    "changes": [
        {
            "surface": "graphql",
            "kind": "deprecated",
            "coordinate": "Product.title",
            "message": "`Product.title` is deprecated and may be gone from 2027-03-01; use `Product.name`.",
            "replacement": "Product.name",
            "sunset": "2027-03-01",
            "days_left": 97,
            "used": {"count": 42, "last_used_at": "2026-11-23T09:30:00.125Z", "operations": ["StorefrontPage"]},
        },
        {
            "surface": "rest",
            "kind": "added",
            "coordinate": "GET /v1/schema/changes",
            "message": "`GET /v1/schema/changes` is new.",
            "replacement": None,
            "sunset": None,
            "days_left": None,
            "used": None,
        },
    ],
}
PREVIEW: Final[dict[str, Any]] = {
    "name": "lookbooks",
    "scope": "preview:lookbooks",
    "until": "2027-02-26",
    "about": "A season's looks, each with its products.",
    "owner": "Catalogue",
    "opens": ["Lookbook", "Query.lookbooks"],
}
