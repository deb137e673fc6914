"""Codes and the families of tokens that they become, as Authlib's grants see them. All of it runs on the synchronous
connection of a write transaction (`request.extras["connection"]`), inside SQLAlchemy's greenlet bridge."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin
from sqlalchemy import Connection
from sqlalchemy import text as sql

from auth.audit import record
from auth.oauth.clients import OAuthClient
from auth.secrets import Hasher, new_secret
from auth.tokens import TOKEN_SECONDS
from db.ids import new_id

CODE_SECONDS: Final = 60
AUTHORIZATION: Final = (
    "a.id, a.user_id, a.client_id, a.scopes, a.storefront_ids, a.redirect_uri, a.code_challenge, a.thumbprint, "
    "a.code_expires_at, a.code_used_at, a.revoked_at"
)


@dataclass(frozen=True)
class Authorized(AuthorizationCodeMixin):  # type: ignore[misc] # Authlib has no types
    """One answer of the authorization endpoint: a code, and the family of tokens it was exchanged for."""

    id: str
    user_id: str
    client_id: str
    scopes: tuple[str, ...]
    storefront_ids: tuple[str, ...] | None
    redirect_uri: str
    code_challenge: str
    thumbprint: str | None
    code_expires_at: datetime
    code_used_at: datetime | None
    revoked_at: datetime | None
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        """Where its code went."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What the creator allowed."""
        return " ".join(self.scopes)


def authorized(row: Any) -> Authorized:
    """From a row of `authorizations`."""
    storefronts = None if row.storefront_ids is None else tuple(row.storefront_ids)
    return Authorized(
        row.id, row.user_id, row.client_id, tuple(row.scopes), storefronts, row.redirect_uri, row.code_challenge,
        row.thumbprint, row.code_expires_at, row.code_used_at, row.revoked_at,
    )  # fmt: skip


@dataclass(frozen=True)
class Allowed:
    """What a creator decided at the consent page."""

    consent_id: str
    user_id: str
    scopes: tuple[str, ...]
    storefront_ids: tuple[str, ...] | None


class Codes:
    """Reads and writes them."""

    def __init__(self, hasher: Hasher, environment: str) -> None:
        self._hasher, self._environment = hasher, environment

    def new(self, connection: Connection, client: OAuthClient, allowed: Allowed, fields: dict[str, str]) -> str:
        """A fresh code for this client, redirect URI and challenge; lives 60 s."""
        code, now = new_secret("authorization_code", self._environment), datetime.now(UTC)
        connection.execute(
            sql(
                "insert into authorizations (id, consent_id, user_id, client_id, scopes, storefront_ids, redirect_uri, "
                "code_hash, code_challenge, thumbprint, created_at, code_expires_at) values (:id, :consent_id, :user_id, "
                ":client_id, :scopes, :storefront_ids, :redirect_uri, :hash, :challenge, :thumbprint, :now, :expires_at)"
            ),
            {
                "id": new_id("aut"), "consent_id": allowed.consent_id, "user_id": allowed.user_id,
                "client_id": client.record.id, "scopes": list(allowed.scopes),
                "storefront_ids": None if allowed.storefront_ids is None else list(allowed.storefront_ids),
                "redirect_uri": fields["redirect_uri"], "hash": self._hasher.hash(code),
                "challenge": fields["code_challenge"], "thumbprint": fields.get("dpop_jkt"), "now": now,
                "expires_at": now + timedelta(seconds=CODE_SECONDS),
            },
        )  # fmt: skip
        return code

    def take(self, connection: Connection, code: str, client_id: str) -> Authorized | None:
        """The authorization of a code that is this client's and still good. One that was used before revokes all that it gave."""
        found = connection.execute(
            sql(f"select {AUTHORIZATION} from authorizations a where a.code_hash = :hash for update"),
            {"hash": self._hasher.hash(code)},
        ).first()
        if found is None or found.client_id != client_id:
            return None
        if found.code_used_at is not None:
            revoke_family(connection, found.id, "a code was sent twice")
            return None
        good = found.revoked_at is None and found.code_expires_at > datetime.now(UTC)
        return authorized(found) if good else None

    def bind(self, connection: Connection, authorization: Authorized, thumbprint: str) -> None:
        """The family's refresh tokens are of use to the holder of this key alone."""
        connection.execute(
            sql("update authorizations set thumbprint = :thumbprint where id = :id"),
            {"id": authorization.id, "thumbprint": thumbprint},
        )

    def use(self, connection: Connection, authorization: Authorized) -> None:
        """The code has been exchanged."""
        connection.execute(
            sql("update authorizations set code_used_at = clock_timestamp() where id = :id"), {"id": authorization.id}
        )


def revoke_family(connection: Connection, authorization_id: str, why: str) -> None:
    """Voids every token that one authorization gave: refresh tokens by the table, access tokens by the revocation list."""
    row = connection.execute(
        sql(
            "update authorizations a set revoked_at = now() from clients c where a.id = :id and a.revoked_at is null "
            "and c.id = a.client_id returning c.organization_id, a.user_id"
        ),
        {"id": authorization_id},
    ).first()
    if row is None:
        return
    connection.execute(
        sql(
            "insert into revocations (kind, subject, revoked_at, expires_at) values ('family', :id, now(), "
            "now() + make_interval(secs => :seconds)) on conflict (kind, subject) do nothing"
        ),
        {"id": authorization_id, "seconds": TOKEN_SECONDS + 60},
    )
    record(
        connection, row.organization_id, actor=row.user_id, action="tokens.revoked", subject=authorization_id,
        details={"why": why},
    )  # fmt: skip
