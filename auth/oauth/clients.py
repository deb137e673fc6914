"""A client as Authlib's grants see it."""

from typing import Final

from authlib.oauth2.rfc6749 import ClientMixin

from auth import redirects
from auth.clients import Client
from auth.scopes import SCOPES

GRANT_TYPES: Final = ("client_credentials", "authorization_code", "refresh_token")


class OAuthClient(ClientMixin):  # type: ignore[misc] # Authlib has no types
    """Wraps what the database knows."""

    def __init__(self, record: Client) -> None:
        self.record = record

    def get_client_id(self) -> str:
        """Its id."""
        return self.record.id

    def get_default_redirect_uri(self) -> None:
        """None: every request names its redirect URI."""

    def get_allowed_scope(self, scope: str | None) -> str:
        """What of the asked scopes it holds; all that it holds where none are asked for."""
        asked = self.record.scopes if not scope else tuple(scope.split())
        return " ".join(one for one in SCOPES if one in asked and one in self.record.scopes)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether it is one that was registered, exactly."""
        return redirects.matches(redirect_uri, self.record.redirect_uris)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Never asked: the server authenticates clients itself."""
        return True

    def check_response_type(self, response_type: str) -> bool:
        """Codes alone; tokens never travel in a redirect (RFC 9700 section 2.1.2)."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may use this grant."""
        return grant_type in GRANT_TYPES
