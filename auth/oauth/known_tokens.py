"""Revocation (RFC 7009) and introspection (RFC 7662), on Authlib's endpoint classes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from authlib.oauth2.rfc6749 import TokenMixin
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from sqlalchemy import text as sql

from auth.oauth.clients import OAuthClient
from auth.oauth.codes import revoke_family
from auth.oauth.grants import ALL_METHODS
from auth.oauth.requests import ClientRequest
from auth.tokens import Claims


@dataclass(frozen=True)
class Known(TokenMixin):  # type: ignore[misc] # Authlib has no types
    """A token of ours: an access token by its claims, or a refresh token by its row."""

    client_id: str
    revoked: bool
    claims: Claims | None = None
    row: Any = None

    def check_client(self, client: OAuthClient) -> bool:
        """Whether it is this client's."""
        return bool(self.client_id == client.record.id)

    def is_expired(self) -> bool:
        """An access token's claims were only read where it had not expired."""
        return self.row is not None and self.row.expires_at <= datetime.now(UTC)

    def is_revoked(self) -> bool:
        """Whether it was revoked, or replaced."""
        return self.revoked


def find(endpoint: Any, request: ClientRequest) -> Known | None:
    """The token that a request asks about."""
    claims: Claims | None = request.extras["claims"]
    if claims is not None:
        covered = endpoint.server.revocations.covers(
            jti=claims.token_id, family=claims.family, client_id=claims.client_id, issued_at=claims.issued_at
        )
        return Known(claims.client_id, covered, claims)
    row = (
        request.extras["connection"]
        .execute(
            sql(
                "select r.*, a.client_id, a.user_id, a.scopes, a.revoked_at from refresh_tokens r "
                "join authorizations a on a.id = r.authorization_id where r.hash = :hash"
            ),
            {"hash": endpoint.server.hasher.hash(request.fields.get("token", ""))},
        )
        .first()
    )
    if row is None:
        return None
    return Known(row.client_id, row.revoked_at is not None or row.replaced_at is not None, row=row)


class Revocation(RevocationEndpoint):  # type: ignore[misc] # Authlib has no types
    """A refresh token goes with its whole family; an access token goes alone."""

    CLIENT_AUTH_METHODS = ALL_METHODS

    def authenticate_token(self, request: ClientRequest, client: OAuthClient) -> Known | None:
        """The token, where it is this client's; another's is not told from an unknown one."""
        self.check_params(request, client)
        known = find(self, request)
        return known if known is not None and known.check_client(client) else None

    def revoke_token(self, token: Known, request: ClientRequest) -> None:
        """Voids it."""
        connection = request.extras["connection"]
        if token.claims is None:
            revoke_family(connection, token.row.authorization_id, "the client revoked them")
            return
        connection.execute(
            sql(
                "insert into revocations (kind, subject, revoked_at, expires_at) "
                "values ('token', :jti, now(), to_timestamp(:expires_at)) on conflict (kind, subject) do nothing"
            ),
            {"jti": token.claims.token_id, "expires_at": token.claims.expires_at},
        )


class Introspection(IntrospectionEndpoint):  # type: ignore[misc] # Authlib has no types
    """What a token allows, for the client it was given to."""

    CLIENT_AUTH_METHODS = ALL_METHODS[:-1]

    def authenticate_token(self, request: ClientRequest, client: OAuthClient) -> Known | None:
        """The token, where it is this client's."""
        self.check_params(request, client)
        known = find(self, request)
        return known if known is not None and known.check_client(client) else None

    def introspect_token(self, token: Known) -> dict[str, Any]:
        """RFC 7662 section 2.2."""
        if token.claims is None:
            row = token.row
            return {
                "active": True, "client_id": row.client_id, "sub": row.user_id, "scope": " ".join(row.scopes),
                "iss": self.server.tokens.issuer, "exp": int(row.expires_at.timestamp()),
                "iat": int(row.created_at.timestamp()), "token_type": "refresh_token",
            }  # fmt: skip
        claims, tokens = token.claims, self.server.tokens
        more = {} if claims.thumbprint is None else {"cnf": {"jkt": claims.thumbprint}}
        return {
            "active": True, "client_id": claims.client_id, "sub": claims.user_id, "scope": " ".join(claims.scopes),
            "iss": tokens.issuer, "aud": tokens.audience, "exp": claims.expires_at, "iat": claims.issued_at,
            "jti": claims.token_id, "token_type": "DPoP" if claims.thumbprint else "Bearer", **more,
        }  # fmt: skip
