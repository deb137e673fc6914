"""What clients discover: the authorization server's metadata (RFC 8414)."""

from typing import Any

from auth.oauth.clients import GRANT_TYPES
from auth.scopes import NAMED_ONLY, SCOPES


def server_metadata(issuer: str) -> dict[str, Any]:
    """The document at `/.well-known/oauth-authorization-server`."""
    methods = ["client_secret_basic", "client_secret_post", "none"]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "jwks_uri": f"{issuer}/oauth/jwks.json",
        "scopes_supported": [scope for scope in SCOPES if scope not in NAMED_ONLY],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "require_request_uri_registration": False,
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods[:-1],
    }
