"""Refresh tokens: a new one at each use, the use of an old one noticed, a lost answer given again.

A family's tokens are a chain: each is derived from the one before it by a keyed hash, so the successor of a token can be told
again without being kept. Only the token immediately before the newest may be sent again, and only for a short grace; any older
one was stolen or lost track of, and voids the family (RFC 9700 section 4.14.2).
"""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from authlib.oauth2.rfc6749 import TokenMixin
from sqlalchemy import Connection
from sqlalchemy import text as sql

from auth.oauth.clients import OAuthClient
from auth.oauth.codes import AUTHORIZATION, Authorized, authorized, revoke_family
from auth.secrets import Hasher, derived_secret, is_well_formed, new_secret

REFRESH_SECONDS: Final = 30 * 86400
GRACE_SECONDS: Final = 30
_FIND: Final = (
    f"select {AUTHORIZATION}, r.generation, r.expires_at, r.replaced_at, "
    "(select max(generation) from refresh_tokens n where n.authorization_id = a.id) as newest "
    "from refresh_tokens r join authorizations a on a.id = r.authorization_id where r.hash = :hash"
)


@dataclass(frozen=True)
class Presented(TokenMixin):  # type: ignore[misc] # Authlib has no types
    """A refresh token that may be exchanged. `replaced`: it was before, and its answer is being asked for again."""

    text: str
    authorization: Authorized
    generation: int
    replaced: bool

    def check_client(self, client: OAuthClient) -> bool:
        """Whether it is this client's."""
        return bool(self.authorization.client_id == client.record.id)

    def get_scope(self) -> str:
        """What the creator allowed."""
        return str(self.authorization.get_scope())


class RefreshTokens:
    """Reads and writes the chains."""

    def __init__(self, hasher: Hasher, environment: str) -> None:
        self._hasher, self._environment = hasher, environment
        self._key = hasher.derive("refresh tokens")

    def first(self, connection: Connection, authorization: Authorized) -> str:
        """The first of a family."""
        token = new_secret("refresh_token", self._environment)
        self._insert(connection, token, authorization.id, 0)
        return token

    def find(self, connection: Connection, token: str, client_id: str) -> Presented | None:
        """The token, where it may be exchanged by this client; the family is locked until the transaction ends."""
        if not is_well_formed(token, "refresh_token", self._environment):
            return None
        row = self._locked(connection, self._hasher.hash(token))
        if row is None or row.client_id != client_id or row.revoked_at is not None:
            return None
        if row.generation == row.newest:
            return (
                Presented(token, authorized(row), row.generation, False) if row.expires_at > datetime.now(UTC) else None
            )
        grace = row.replaced_at is not None and datetime.now(UTC) - row.replaced_at <= timedelta(seconds=GRACE_SECONDS)
        if row.generation == row.newest - 1 and grace:
            return Presented(token, authorized(row), row.generation, True)
        revoke_family(connection, row.id, "an old refresh token was sent")
        return None

    def _locked(self, connection: Connection, digest: bytes) -> Any:
        """Locks the family first: of two exchanges at once, the second reads what the first one wrote."""
        connection.execute(
            sql(
                "select 1 from authorizations a join refresh_tokens r on r.authorization_id = a.id "
                "where r.hash = :hash for update of a"
            ),
            {"hash": digest},
        )
        return connection.execute(sql(_FIND), {"hash": digest}).first()

    def next(self, connection: Connection, presented: Presented) -> str:
        """The successor; the same each time it is asked for."""
        token = self._successor(presented.text)
        if not presented.replaced:
            self._insert(connection, token, presented.authorization.id, presented.generation + 1)
            connection.execute(
                sql("update refresh_tokens set replaced_at = clock_timestamp() where hash = :hash"),
                {"hash": self._hasher.hash(presented.text)},
            )
        return token

    def _successor(self, token: str) -> str:
        return derived_secret("refresh_token", self._environment, hmac.digest(self._key, token.encode(), "sha256"))

    def _insert(self, connection: Connection, token: str, authorization_id: str, generation: int) -> None:
        now = datetime.now(UTC)
        connection.execute(
            sql(
                "insert into refresh_tokens (hash, authorization_id, generation, created_at, expires_at) "
                "values (:hash, :authorization_id, :generation, :now, :expires_at)"
            ),
            {
                "hash": self._hasher.hash(token), "authorization_id": authorization_id, "generation": generation,
                "now": now, "expires_at": now + timedelta(seconds=REFRESH_SECONDS),
            },
        )  # fmt: skip
