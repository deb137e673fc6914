"""What clients discover: the authorization server's metadata (RFC 8414)."""

from typing import Any

from auth.oauth.assertions import ALGORITHMS as ASSERTION_ALGORITHMS
from auth.oauth.clients import GRANT_TYPES
from auth.proofs import ALGORITHMS as PROOF_ALGORITHMS
from auth.scopes import NAMED_ONLY, SCOPES


def server_metadata(issuer: str, environment: str) -> dict[str, Any]:
    """The document at `/.well-known/oauth-authorization-server`."""
    methods = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
    register = {"registration_endpoint": f"{issuer}/oauth/register"} if environment == "sandbox" else {}
    return {
        **register,
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
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
    }


def resource_metadata(issuer: str, audience: str) -> dict[str, Any]:
    """The document at `/.well-known/oauth-protected-resource` (RFC 9728): the API as what tokens are for."""
    return {
        "resource": audience,
        "resource_name": "FSHNiSTA API v1",
        "authorization_servers": [issuer],
        "scopes_supported": [scope for scope in SCOPES if scope not in NAMED_ONLY],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
    }
