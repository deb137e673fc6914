"""Signatures by Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 (`v1`) and Ed25519 (`v1a`).

An endpoint has one or more live generations of keys. Each delivery carries a signature by every one of them, so a
receiver that knows any live secret, or only a public key, can verify it.
"""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.jwk import OKPKey

SECRET_BYTES: Final = 32
_NONCE: Final = 12


class Seal:
    """Keeps secrets that must be read again: AES-256-GCM under a key derived from the platform's own secret."""

    def __init__(self, platform_secret: bytes) -> None:
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"webhook secrets").derive(platform_secret)
        self._cipher = AESGCM(key)

    def close(self, plain: bytes, owner: str) -> bytes:
        """Sealed bytes that open only for the same owner (an endpoint's id)."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, owner.encode())

    def open(self, sealed: bytes, owner: str) -> bytes:
        """The plain bytes. Raises `cryptography.exceptions.InvalidTag` where anything was changed."""
        return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], owner.encode())


@dataclass(frozen=True)
class SigningKey:
    """One generation of an endpoint's keys: 32 bytes shared with the receiver, and the seed of an Ed25519 pair."""

    secret: bytes
    seed: bytes
    expires_at: datetime | None = None

    @cached_property
    def _pair(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def public_bytes(self) -> bytes:
        """The raw public key, 32 bytes."""
        return self._pair.public_key().public_bytes_raw()

    def alive(self, now: datetime) -> bool:
        """Whether it still signs."""
        return self.expires_at is None or self.expires_at > now

    def symmetric(self, content: bytes) -> str:
        """`v1,` and the base64 of the HMAC."""
        return "v1," + b64encode(hmac.digest(self.secret, content, hashlib.sha256)).decode()

    def asymmetric(self, content: bytes) -> str:
        """`v1a,` and the base64 of the Ed25519 signature."""
        return "v1a," + b64encode(self._pair.sign(content)).decode()


def new_key() -> SigningKey:
    """Fresh random keys."""
    return SigningKey(secrets.token_bytes(SECRET_BYTES), secrets.token_bytes(SECRET_BYTES))


def secret_text(secret: bytes) -> str:
    """As partners see it: `whsec_` and base64."""
    return "whsec_" + b64encode(secret).decode()


def public_text(public: bytes) -> str:
    """As partners see it: `whpk_` and base64."""
    return "whpk_" + b64encode(public).decode()


def public_jwk(public: bytes) -> dict[str, str]:
    """As libraries for JOSE know it (RFC 8037); its `kid` is its thumbprint (RFC 7638), so it never changes."""
    key = OKPKey.import_key(Ed25519PublicKey.from_public_bytes(public))
    stated = key.as_dict(private=False)
    told = {name: str(stated[name]) for name in ("kty", "crv", "x")}
    return {**told, "kid": key.thumbprint(), "use": "sig", "alg": "EdDSA"}


def secret_bytes(text: str) -> bytes:
    """The bytes of a `whsec_…`. ValueError where it is none."""
    if not text.startswith("whsec_"):
        raise ValueError("a webhook secret starts with whsec_")
    return b64decode(text.removeprefix("whsec_"), validate=True)


def sign(keys: Iterable[SigningKey], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: what every key says of `id.timestamp.body`, symmetric ones first."""
    content = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    keys = list(keys)
    return " ".join([key.symmetric(content) for key in keys] + [key.asymmetric(content) for key in keys])
