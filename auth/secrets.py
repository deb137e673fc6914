"""Client secrets, API keys and other bearer secrets: a type and environment that anyone can read, entropy that nobody can
guess, and a checksum that tells a typing mistake or a fake from the real thing without a look-up. Only keyed hashes are kept.

`fsh_test_` + 30 random base62 characters (178 bits) + 6 characters of CRC-32 over all that stands before them.
"""

import hashlib
import hmac
import secrets
import string
from typing import Final, Literal
from zlib import crc32

Kind = Literal["api_key", "client_secret", "refresh_token", "authorization_code", "registration_token", "request_uri"]

PREFIXES: Final[dict[Kind, str]] = {
    "api_key": "fsh",
    "client_secret": "fss",
    "refresh_token": "fsr",
    "authorization_code": "fsc",
    "registration_token": "fsg",
    "request_uri": "fsp",
}
ENVIRONMENTS: Final = {"sandbox": "test", "production": "live"}
_BASE62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM: Final = 30
_CHECK: Final = 6


def _checksum(text: str) -> str:
    number = crc32(text.encode())
    digits = []
    for _ in range(_CHECK):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))


def new_secret(kind: Kind, environment: str) -> str:
    """A fresh secret for `sandbox` or `production`. Show it once; keep only its hash and hint."""
    start = f"{PREFIXES[kind]}_{ENVIRONMENTS[environment]}_"
    text = start + "".join(secrets.choice(_BASE62) for _ in range(_RANDOM))
    return text + _checksum(text)


def derived_secret(kind: Kind, environment: str, digest: bytes) -> str:
    """A secret made of 32 random-looking bytes instead of chance: the same bytes give the same secret."""
    number, letters = int.from_bytes(digest), []
    for _ in range(_RANDOM):
        number, digit = divmod(number, 62)
        letters.append(_BASE62[digit])
    text = f"{PREFIXES[kind]}_{ENVIRONMENTS[environment]}_{''.join(letters)}"
    return text + _checksum(text)


def is_well_formed(secret: str, kind: Kind, environment: str) -> bool:
    """Whether this could be a secret of this kind and environment: prefix, length and checksum agree."""
    start = f"{PREFIXES[kind]}_{ENVIRONMENTS[environment]}_"
    if len(secret) != len(start) + _RANDOM + _CHECK or not secret.startswith(start) or not secret.isascii():
        return False
    return hmac.compare_digest(_checksum(secret[:-_CHECK]), secret[-_CHECK:])


def hint(secret: str) -> str:
    """What may be shown of a secret ever after: its type, environment and last four characters."""
    return f"{secret[:9]}...{secret[-4:]}"


class Hasher:
    """Keyed hashes and derived keys of one deployment; who has the database but not the server's secret can guess nothing."""

    def __init__(self, server_secret: bytes) -> None:
        self._root = server_secret
        self._hash_key = self.derive("credential hashes")

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose (HKDF-Expand of RFC 5869 with one block)."""
        return hmac.digest(self._root, purpose.encode() + b"\x01", hashlib.sha256)

    def hash(self, secret: str) -> bytes:
        """HMAC-SHA256 of a secret, 32 bytes; what the database keeps."""
        return hmac.digest(self._hash_key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256)

    def matches(self, secret: str, hashes: list[bytes]) -> bool:
        """Whether the secret is that of one of the hashes. Takes as long for a match as for none."""
        found = self.hash(secret)
        same = [hmac.compare_digest(found, known) for known in hashes or [bytes(32)]]
        return any(same) and bool(hashes)
