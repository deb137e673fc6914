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

from auth.nonces import LIFE_SECONDS, Nonces
from auth.replays import Replays

ALGORITHMS: Final = ("ES256", "ES384", "EdDSA", "PS256", "RS256")
FRESH_SECONDS: Final = 60
LONGEST_PROOF: Final = 8192
# As long as a proof or its nonce may be fresh, whichever is longer.
REMEMBERED_SECONDS: Final = max(2 * FRESH_SECONDS, LIFE_SECONDS) + 1
_PRIVATE: Final = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


class _Registry(JWSRegistry):
    """The header carries a whole public key; of RSA that is more than joserfc takes by itself."""

    max_header_length = 4096


_REGISTRY: Final = _Registry(algorithms=list(ALGORITHMS))


class BadProof(ValueError):
    """A proof that does not hold; the message says why."""


class NonceNeeded(BadProof):
    """A proof that must carry a nonce of ours, and carries none that is good (RFC 9449 section 8)."""


class Proofs:
    """Checks proofs, and takes each `jti` once, whichever process it comes to.

    A nonce is asked of whom `needs_nonce` says; of everybody while it is not sure that all uses are remembered; and a wrong one
    is never taken. With a good nonce the proof is as fresh as that, whatever the client's clock says.
    """

    def __init__(self, replays: Replays, nonces: Nonces) -> None:
        self._replays, self.nonces = replays, nonces

    async def check(
        self, proof: str, *, method: str, url: str, token: str | None = None, needs_nonce: bool = False
    ) -> str:
        """The thumbprint of the key that signed it (RFC 7638). Raises BadProof."""
        key, claims = _verified(proof)
        if claims.get("htm") != method or _plain(claims.get("htu")) != _plain(url):
            raise BadProof("htm and htu must name the method and the address of this very request.")
        self._check_fresh(claims, needs_nonce)
        if token is not None and claims.get("ath") != ath(token):
            raise BadProof("ath must be the hash of the access token.")
        await self._check_first(claims.get("jti"), key.thumbprint())
        # It may just have turned out that earlier uses are not known.
        self._check_fresh(claims, needs_nonce)
        return key.thumbprint()

    def _check_fresh(self, claims: dict[str, Any], needs_nonce: bool) -> None:
        stated, now = claims.get("iat"), time()
        if isinstance(stated, bool) or not isinstance(stated, int | float):
            raise BadProof("iat must be the time at which the proof was made.")
        sure_since = self._replays.whole_since
        if "nonce" in claims or needs_nonce or sure_since > now - REMEMBERED_SECONDS:
            given = self.nonces.issued_at(claims.get("nonce"))
            if given is None or given <= sure_since:
                raise NonceNeeded("The proof must carry the nonce of the DPoP-Nonce header.")
        elif abs(now - stated) > FRESH_SECONDS:
            raise NonceNeeded(f"iat must be within {FRESH_SECONDS} s of now, or the proof carry our nonce.")

    async def _check_first(self, jti: Any, thumbprint: str) -> None:
        if not isinstance(jti, str) or not 1 <= len(jti) <= 512:
            raise BadProof("jti must be a text of its own for each proof.")
        key = hashlib.sha256(f"{thumbprint} {jti}".encode("utf-8", "surrogatepass")).digest()
        if not await self._replays.first_use(key, REMEMBERED_SECONDS):
            raise BadProof("This proof was used before; make a new one for each request.")


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
