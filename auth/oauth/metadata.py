"""What clients discover: the authorization server's metadata (RFC 8414)."""

from typing import Any

from auth.oauth.clients import GRANT_TYPES
from auth.scopes import NAMED_ONLY, SCOPES


def server_metadata(issuer: str) -> dict[str, Any]:
    """The document at `/.well-known/oauth-authorization-server`."""
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "jwks_uri": f"{issuer}/oauth/jwks.json",
        "scopes_supported": [scope for scope in SCOPES if scope not in NAMED_ONLY],
        "response_types_supported": ["code"],
        "grant_types_supported": list(GRANT_TYPES),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }
