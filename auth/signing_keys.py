"""The RS256 key pairs that sign access tokens: made on first start, kept encrypted, rotated without breaking live tokens."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final

from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from joserfc.jwk import RSAKey
from sqlalchemy import text as sql

from auth.audit import PLATFORM, record
from auth.secrets import Hasher
from db.sessions import Database, WriteSession

_BITS: Final = 2048
_LOCK: Final = 0x66736B31  # one process makes a key at a time
# Other processes may still sign with the old key until they hear of the new one.
MARGIN_SECONDS: Final = 60
_RELOAD_SECONDS: Final = 1.0
_ALL = (
    "select kid, private_pem, verifies_until from signing_keys "
    "where verifies_until is null or verifies_until > now() order by created_at desc, kid desc"
)


@dataclass(frozen=True)
class SigningKey:
    """One key pair. `verifies_until` None: it is the one that signs."""

    kid: str
    pair: RSAKey
    public: dict[str, Any]
    verifies_until: datetime | None


class SigningKeys:
    """The keys of one deployment as this process knows them; the newest signs."""

    def __init__(self, db: Database, hasher: Hasher, token_seconds: int) -> None:
        self._db = db
        self._password = hasher.derive("signing keys").hex().encode()
        self._token_seconds = token_seconds
        self._keys: dict[str, SigningKey] = {}
        self._loaded_at = 0.0
        self._loading = asyncio.Lock()

    @classmethod
    async def open(cls, db: Database, hasher: Hasher, *, token_seconds: int) -> "SigningKeys":
        """Loads the keys; makes the first where there is none."""
        keys = cls(db, hasher, token_seconds)
        await keys.load()
        if not keys._keys:
            await keys._add(only_first=True)
        return keys

    @property
    def current(self) -> SigningKey:
        """The key that signs."""
        return next(iter(self._keys.values()))

    async def load(self) -> None:
        """Reads the keys that still verify; one reading after the other, or an older one could undo a newer."""
        async with self._loading:
            await self._read()

    async def _read(self) -> None:
        """Those known already are not decrypted again."""
        rows = await self._db.fetch(_ALL)
        loaded: dict[str, SigningKey] = {}
        for row in rows:
            kid, known = row["kid"], self._keys.get(row["kid"])
            pair = known.pair if known else await asyncio.to_thread(self._decrypt, row["private_pem"])
            loaded[kid] = SigningKey(kid, pair, _public(kid, pair), row["verifies_until"])
        self._keys = loaded
        self._loaded_at = monotonic()

    async def find(self, kid: str) -> SigningKey | None:
        """The key that verifies a token with this `kid`. An unknown one makes this process look again, at most once a second."""
        key = self._live(kid)
        if key is None and monotonic() - self._loaded_at >= _RELOAD_SECONDS:
            async with self._loading:
                if monotonic() - self._loaded_at >= _RELOAD_SECONDS:
                    await self._read()
            key = self._live(kid)
        return key

    def _live(self, kid: str) -> SigningKey | None:
        key = self._keys.get(kid)
        expired = key is not None and key.verifies_until is not None and key.verifies_until <= datetime.now(UTC)
        return None if expired else key

    def jwks(self) -> dict[str, Any]:
        """The public keys (RFC 7517), the one that signs first."""
        return {"keys": [key.public for key in self._keys.values() if self._live(key.kid)]}

    async def rotate(self) -> str:
        """Makes a new key sign, and gives its kid. The old one verifies until its last token has expired."""
        return await self._add(only_first=False)

    async def _add(self, *, only_first: bool) -> str:
        private = await asyncio.to_thread(generate_private_key, 65537, _BITS)
        stored = await asyncio.to_thread(self._encrypt, private)
        kid = RSAKey.import_key(private).thumbprint()
        async with self._db.write() as session:
            await self._insert(session, kid, stored, only_first=only_first)
        await self.load()
        return self.current.kid

    async def _insert(self, session: WriteSession, kid: str, stored: str, *, only_first: bool) -> None:
        connection = await session.connection()
        await connection.execute(sql("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if only_first and (await connection.execute(sql("select 1 from signing_keys limit 1"))).first():
            return
        await connection.execute(
            sql(
                "update signing_keys set verifies_until = clock_timestamp() + make_interval(secs => :seconds) "
                "where verifies_until is null"
            ),
            {"seconds": self._token_seconds + MARGIN_SECONDS},
        )
        await connection.execute(
            sql("insert into signing_keys (kid, private_pem, created_at) values (:kid, :pem, clock_timestamp())"),
            {"kid": kid, "pem": stored},
        )
        action, actor = ("signing_key.created", "server") if only_first else ("signing_key.rotated", "operator")
        await connection.run_sync(record, PLATFORM, actor=actor, action=action, subject=kid)

    def _encrypt(self, private: RSAPrivateKey) -> str:
        cipher = pem.BestAvailableEncryption(self._password)
        return private.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, cipher).decode()

    def _decrypt(self, stored: str) -> RSAKey:
        try:
            private = pem.load_pem_private_key(stored.encode(), self._password)
        except ValueError:
            message = "the signing keys in this database were made with another server secret (FSHNISTA_SECRET)"
            raise WrongServerSecret(message) from None
        if not isinstance(private, RSAPrivateKey):
            raise WrongServerSecret("a signing key in this database is no RSA key")
        return RSAKey.import_key(private)


class WrongServerSecret(RuntimeError):
    """The stored keys cannot be read with this server's secret."""


def _public(kid: str, pair: RSAKey) -> dict[str, Any]:
    return {"kid": kid, "use": "sig", "alg": "RS256", **pair.as_dict(private=False, kid=kid)}
