"""`private_key_jwt` (RFC 7523, OpenID Connect Core section 9): a client proves who it is by a signature, and sends no secret."""

from datetime import UTC, datetime
from time import time
from typing import Any, Final

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import text as sql

from auth.clients import Client
from auth.secrets import Hasher
from db.sessions import Database

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
LONGEST_LIFE: Final = 600
LEEWAY: Final = 5


def stated_client(assertion: str) -> str:
    """The client that an assertion says it is of; nothing is verified yet."""
    try:
        claims = orjson.loads(jws.extract_compact(assertion.encode()).payload)
    except (JoseError, ValueError, TypeError):
        return ""
    subject = claims.get("sub") if isinstance(claims, dict) else None
    return subject if isinstance(subject, str) and subject.isascii() and subject.isprintable() else ""


class Assertions:
    """Checks assertions; each is taken once, by whichever process."""

    def __init__(self, db: Database, hasher: Hasher, issuer: str) -> None:
        self._db, self._hasher, self._issuer = db, hasher, issuer

    async def is_good(self, client: Client | None, fields: dict[str, str]) -> bool:
        """Whether the assertion in these fields is this client's, for this server, fresh and not used before."""
        assertion = fields.get("client_assertion", "")
        if client is None or client.auth_method != "private_key_jwt" or fields.get("client_assertion_type") != TYPE:
            return False
        claims = _claims(assertion, client)
        if claims is None or not self._fits(claims, client.id):
            return False
        return await self._first_use(f"{client.id} {claims['jti']}", claims["exp"])

    def _fits(self, claims: dict[str, Any], client_id: str) -> bool:
        audiences = claims.get("aud")
        audiences = audiences if isinstance(audiences, list) else [audiences]
        own = {self._issuer, f"{self._issuer}/oauth/token", f"{self._issuer}/oauth/par"}
        expires, now = claims.get("exp"), time()
        return (
            claims.get("iss") == claims.get("sub") == client_id
            and any(isinstance(one, str) and one in own for one in audiences)
            and isinstance(expires, int)
            and now - LEEWAY < expires <= now + LONGEST_LIFE
            and isinstance(claims.get("jti"), str)
            and _begun(claims.get("nbf"), now)
            and _begun(claims.get("iat"), now)
        )

    async def _first_use(self, name: str, expires: int) -> bool:
        async with self._db.write() as session:
            connection = await session.connection()
            await connection.execute(sql("delete from used_assertions where expires_at < now()"))
            found = await connection.execute(
                sql("insert into used_assertions (hash, expires_at) values (:hash, :until) on conflict do nothing"),
                {"hash": self._hasher.hash(name), "until": datetime.fromtimestamp(expires + LEEWAY, UTC)},
            )
            return found.rowcount == 1


def _begun(moment: Any, now: float) -> bool:
    return moment is None or (isinstance(moment, int | float) and moment <= now + LEEWAY)


def _claims(assertion: str, client: Client) -> dict[str, Any] | None:
    try:
        keys = KeySet.import_key_set(client.jwks)  # type: ignore[arg-type] # JSON as it was stored
        found = jws.deserialize_compact(assertion, keys, algorithms=list(ALGORITHMS))
        claims = orjson.loads(found.payload)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return claims if isinstance(claims, dict) else None
