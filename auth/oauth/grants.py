"""The grants of the token endpoint, as Authlib's classes."""

from authlib.oauth2.rfc6749 import ClientCredentialsGrant, InvalidScopeError

from auth.oauth.requests import printable
from auth.scopes import UnknownScope, parse_scopes

SECRET_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]


def check_scope(asked: str | None, held: tuple[str, ...]) -> None:
    """Refuses a scope that does not exist or that is not held."""
    try:
        parse_scopes(asked or "", held=held)
    except UnknownScope as error:
        raise InvalidScopeError(f"Not held by this client: {printable(str(error))}") from None


class ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc] # Authlib has no types
    """RFC 6749 section 4.4: the client acts as its organisation's own user."""

    TOKEN_ENDPOINT_AUTH_METHODS = SECRET_METHODS

    def validate_requested_scope(self) -> None:
        """A subset of what the client holds."""
        check_scope(self.request.payload.scope, self.request.client.record.scopes)
