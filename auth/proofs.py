"""DPoP (RFC 9449): a proof, signed anew for each request, that the caller holds the key that its token is bound to."""

import base64
import hashlib
from time import time
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

ALGORITHMS: Final = ("ES256", "ES384", "EdDSA", "PS256", "RS256")
FRESH_SECONDS: Final = 60
LONGEST_PROOF: Final = 8192
_MOST_KEPT: Final = 200_000
_PRIVATE: Final = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


class _Registry(JWSRegistry):
    """The header carries a whole public key; of RSA that is more than joserfc takes by itself."""

    max_header_length = 4096


_REGISTRY: Final = _Registry(algorithms=list(ALGORITHMS))


class BadProof(ValueError):
    """A proof that does not hold; the message says why."""


class Proofs:
    """Checks proofs; takes each `jti` once within the time that it is fresh. Remembers in this process alone: a proof sent to
    two processes at once within a minute would pass twice, which RFC 9449 section 11.1 leaves to the server."""

    def __init__(self) -> None:
        self._seen: dict[bytes, float] = {}

    def check(self, proof: str, *, method: str, url: str, token: str | None = None) -> str:
        """The thumbprint of the key that signed it (RFC 7638). Raises BadProof."""
        key, claims = _verified(proof)
        if claims.get("htm") != method or _plain(claims.get("htu")) != _plain(url):
            raise BadProof("htm and htu must name the method and the address of this very request.")
        issued, now = claims.get("iat"), time()
        if isinstance(issued, bool) or not isinstance(issued, int | float) or abs(now - issued) > FRESH_SECONDS:
            raise BadProof(f"iat must be within {FRESH_SECONDS} s of now.")
        if token is not None and claims.get("ath") != ath(token):
            raise BadProof("ath must be the hash of the access token.")
        self._once(claims.get("jti"), key.thumbprint(), now)
        return key.thumbprint()

    def _once(self, jti: Any, thumbprint: str, now: float) -> None:
        if not isinstance(jti, str) or not 1 <= len(jti) <= 512:
            raise BadProof("jti must be a text of its own for each proof.")
        key = hashlib.sha256(f"{thumbprint} {jti}".encode("utf-8", "surrogatepass")).digest()
        if self._seen.get(key, 0) > now:
            raise BadProof("This proof was used before; make a new one for each request.")
        if len(self._seen) >= _MOST_KEPT:
            self._seen = {kept: until for kept, until in self._seen.items() if until > now}
        self._seen[key] = now + 2 * FRESH_SECONDS


def ath(token: str) -> str:
    """The hash of an access token as a proof names it."""
    return (
        base64.urlsafe_b64encode(hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()).rstrip(b"=").decode()
    )


def _verified(proof: str) -> tuple[ECKey | OKPKey | RSAKey, dict[str, Any]]:
    if len(proof) > LONGEST_PROOF or not proof.isascii():
        raise BadProof("The DPoP header is no proof.")
    try:
        header = orjson.loads(urlsafe_b64decode(proof.split(".", 1)[0].encode()))
        if not isinstance(header, dict):
            raise BadProof("The DPoP header is no proof.")
        if header.get("typ") != "dpop+jwt" or header.get("alg") not in ALGORITHMS:
            raise BadProof(f"A proof has typ dpop+jwt and one of the algorithms {', '.join(ALGORITHMS)}.")
        jwk: Any = header.get("jwk")
        if not isinstance(jwk, dict) or _PRIVATE & set(jwk):
            raise BadProof("A proof carries its public key as jwk, and never the private one.")
        key = import_key(jwk)
        claims = orjson.loads(jws.deserialize_compact(proof, key, registry=_REGISTRY).payload)
    except BadProof:
        raise
    except (JoseError, ValueError, TypeError, KeyError):
        raise BadProof("The proof's signature does not verify.") from None
    if not isinstance(claims, dict) or not isinstance(key, ECKey | OKPKey | RSAKey):
        raise BadProof("The proof's key or claims are of no use here.")
    return key, claims


def _plain(url: Any) -> str:
    """An address without query and fragment, its scheme and host in small letters (RFC 9449 section 4.3)."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        port = parts.port
    except ValueError:
        return ""
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    host = (parts.hostname or "") + ("" if port in (None, usual) else f":{port}")
    return f"{parts.scheme}://{host}{parts.path or '/'}"
