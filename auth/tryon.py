"""The token in a try-on link: who signed it, which session it opens, for which site, until when.

A JWT (RFC 7519) signed with HMAC, by a key that is derived for this purpose alone. The same session always has the same
token, so it is never stored: whoever may have it again is given one that is made again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest, digest
from typing import Final

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from db.ids import is_id

_HEADER: Final = {"alg": "HS256", "typ": "tryon+jwt"}
_LONGEST: Final = 2048


@dataclass(frozen=True)
class TryonClaims:
    """What a link says. `expires_at` has whole seconds."""

    session_id: str
    origin: str
    expires_at: datetime


class ForgedToken(Exception):
    """This is no token of ours."""


class ExpiredToken(Exception):
    """It is ours, and its time is over."""

    def __init__(self, claims: TryonClaims) -> None:
        super().__init__(claims.session_id)
        self.claims = claims


def sign(secret: bytes, claims: TryonClaims) -> str:
    """The token of these claims."""
    payload = {"sub": claims.session_id, "origin": claims.origin, "exp": int(claims.expires_at.timestamp())}
    key = OctKey.import_key(digest(secret, b"fshnista try-on links", "sha256"))
    return jws.serialize_compact(dict(_HEADER), orjson.dumps(payload), key, algorithms=["HS256"])


def verify(secret: bytes, token: str, now: datetime) -> TryonClaims:
    """The claims of a token that is ours and live; ForgedToken or ExpiredToken otherwise."""
    if len(token) > _LONGEST or not token.isascii():
        raise ForgedToken
    try:
        claims = _claims(orjson.loads(jws.extract_compact(token.encode()).payload))
    except (JoseError, ValueError, KeyError, TypeError, OverflowError):
        raise ForgedToken from None
    # Signing again also refuses other spellings of the same signature, and every other header.
    if not compare_digest(sign(secret, claims), token):
        raise ForgedToken
    if now >= claims.expires_at:
        raise ExpiredToken(claims)
    return claims


def _claims(payload: dict[str, object]) -> TryonClaims:
    session_id, origin, exp = payload["sub"], payload["origin"], payload["exp"]
    if not isinstance(session_id, str) or not is_id("tos", session_id):
        raise ForgedToken
    if not isinstance(origin, str) or not isinstance(exp, int):
        raise ForgedToken
    return TryonClaims(session_id, origin, datetime.fromtimestamp(exp, UTC))
