"""Nonces that a server gives and keeps no list of: the time, and a MAC that every process of the deployment can check."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from time import time
from typing import Final

LIFE_SECONDS: Final = 120
_TIME, _MAC = 6, 15


class Nonces:
    """Of one purpose, which the key is derived for."""

    def __init__(self, key: bytes, *, life: int = LIFE_SECONDS) -> None:
        self._key, self._life = key, life

    def new(self) -> str:
        """A fresh one, 28 characters of base64url."""
        moment = int(time() * 1000).to_bytes(_TIME, "big")
        return urlsafe_b64encode(moment + self._mac(moment)).decode()

    def issued_at(self, nonce: object) -> float | None:
        """When this nonce of ours was made, in seconds since 1970; None for any other text and for one that is too old."""
        try:
            raw = urlsafe_b64decode(nonce.encode("ascii")) if isinstance(nonce, str) else b""
        except ValueError:
            return None
        moment, mac = raw[:_TIME], raw[_TIME:]
        if len(raw) != _TIME + _MAC or not hmac.compare_digest(mac, self._mac(moment)):
            return None
        issued = int.from_bytes(moment, "big") / 1000
        return issued if time() - issued <= self._life else None

    def _mac(self, moment: bytes) -> bytes:
        return hmac.digest(self._key, moment, "sha256")[:_MAC]
