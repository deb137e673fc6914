"""The grants of the token endpoint, as Authlib's classes."""

from typing import Any

from authlib.oauth2.rfc6749 import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    InvalidRequestError,
    InvalidScopeError,
    RefreshTokenGrant,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc7636 import CodeChallenge, create_s256_code_challenge

from auth.oauth.clients import OAuthClient
from auth.oauth.codes import Allowed, Authorized
from auth.oauth.refresh import Presented
from auth.oauth.requests import printable
from auth.scopes import NAMED_ONLY, UnknownScope, parse_scopes

SECRET_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
ALL_METHODS = [*SECRET_METHODS, "none"]


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


class S256(CodeChallenge):  # type: ignore[misc] # Authlib has no types
    """PKCE (RFC 7636) for every client, by S256 alone; Authlib would take `plain`, and ask public clients alone."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]
    DEFAULT_CODE_CHALLENGE_METHOD = "S256"

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Both parameters are there, and good."""
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("Send code_challenge and code_challenge_method=S256 (PKCE).")
        if len(data["code_challenge"]) != len(create_s256_code_challenge("")):
            raise InvalidRequestError("code_challenge must be the base64url form of a SHA-256, 43 characters.")
        super().validate_code_challenge(grant, redirect_uri)


class AuthorizationCode(AuthorizationCodeGrant):  # type: ignore[misc] # Authlib has no types
    """RFC 6749 section 4.1. The user whom Authlib passes around is what the creator allowed."""

    TOKEN_ENDPOINT_AUTH_METHODS = ALL_METHODS

    def validate_requested_scope(self) -> None:
        """A subset of what the client holds; no creator can give away what is the operator's."""
        held = tuple(scope for scope in self.request.client.record.scopes if scope not in NAMED_ONLY)
        check_scope(self.request.payload.scope, held)

    def generate_authorization_code(self) -> str:
        """A fresh code, kept as a hash."""
        allowed: Allowed = self.request.user
        return str(
            self.server.codes.new(self.request.extras["connection"], self.request.client, allowed, self.request.fields)
        )

    def save_authorization_code(self, code: str, request: Any) -> None:
        """It is kept already."""

    def query_authorization_code(self, code: str, client: OAuthClient) -> Authorized | None:
        """The authorization behind a code."""
        found: Authorized | None = self.server.codes.take(self.request.extras["connection"], code, client.record.id)
        return found

    def delete_authorization_code(self, authorization_code: Authorized) -> None:
        """It works once."""
        self.server.codes.use(self.request.extras["connection"], authorization_code)

    def authenticate_user(self, authorization_code: Authorized) -> Authorized:
        """In whose name its tokens act."""
        return authorization_code


class RefreshToken(RefreshTokenGrant):  # type: ignore[misc] # Authlib has no types
    """RFC 6749 section 6, with rotation."""

    TOKEN_ENDPOINT_AUTH_METHODS = ALL_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Presented | None:
        """The token, where it may be exchanged."""
        request = self.request
        found: Presented | None = self.server.refresh_tokens.find(
            request.extras["connection"], refresh_token, request.client.record.id
        )
        return found

    def authenticate_user(self, refresh_token: Presented) -> Authorized:
        """In whose name its tokens act."""
        return refresh_token.authorization

    def revoke_old_credential(self, refresh_token: Presented) -> None:
        """Done with the making of its successor."""


def refuse_public(client: OAuthClient) -> None:
    """A client without a secret cannot act for itself."""
    if client.record.auth_method == "none":
        raise UnauthorizedClientError("A public client acts for creators alone: use the authorization code.")
