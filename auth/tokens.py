"""Access tokens: RS256 JWTs by the profile of RFC 9068, signed by the newest key and verified by any that is still live."""

from dataclasses import dataclass
from time import time
from typing import Any, Final

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode
from ulid import ULID

from auth.errors import Unauthenticated
from auth.signing_keys import SigningKeys

TOKEN_SECONDS: Final = 3600
LONGEST_TOKEN: Final = 8192
LEEWAY_SECONDS: Final = 5
_HEADER: Final = {"alg", "typ", "kid"}
_TEXTS: Final = ("iss", "sub", "client_id", "scope", "jti")


@dataclass(frozen=True)
class Claims:
    """What a verified token says. `family`: the consent it stems from; `thumbprint`: the DPoP key it is bound to (RFC 9449)."""

    user_id: str
    client_id: str
    scopes: tuple[str, ...]
    token_id: str
    issued_at: int
    expires_at: int
    family: str | None = None
    storefront_ids: tuple[str, ...] | None = None
    thumbprint: str | None = None


def refused(message: str) -> Unauthenticated:
    """`invalid_token` (RFC 6750 section 3.1)."""
    return Unauthenticated("invalid_token", message)


class Tokens:
    """Issues and verifies the access tokens of one issuer for one audience."""

    def __init__(self, keys: SigningKeys, *, issuer: str, audience: str) -> None:
        self.keys = keys
        self.issuer = issuer
        self.audience = audience

    def issue(
        self, *, user_id: str, client_id: str, scope: str, family: str | None = None,
        storefront_ids: tuple[str, ...] | None = None, thumbprint: str | None = None, seconds: int = TOKEN_SECONDS,
    ) -> str:  # fmt: skip
        """A signed token. The claims beyond RFC 9068 are there only where they say something."""
        now, key = int(time()), self.keys.current
        claims: dict[str, Any] = {
            "iss": self.issuer, "aud": self.audience, "sub": user_id, "client_id": client_id, "scope": scope,
            "jti": f"tok_{ULID()}", "iat": now, "exp": now + seconds,
        }  # fmt: skip
        if family is not None:
            claims["grant_id"] = family
        if storefront_ids is not None:
            claims["storefronts"] = list(storefront_ids)
        if thumbprint is not None:
            claims["cnf"] = {"jkt": thumbprint}
        header = {"alg": "RS256", "typ": "at+jwt", "kid": key.kid}
        return jws.serialize_compact(header, orjson.dumps(claims), key.pair, algorithms=["RS256"])

    async def verify(self, token: str) -> Claims:
        """The claims of a token of ours that is live; raises Unauthenticated for every other text."""
        key = await self.keys.find(_kid(token))
        if key is None:
            raise refused("The token is signed with a key that this server does not know.")
        try:
            signed = jws.deserialize_compact(token, key.pair, algorithms=["RS256"])
            claims = orjson.loads(signed.payload)
        except (JoseError, ValueError, TypeError):
            raise refused("The token's signature does not verify.") from None
        return self._checked(claims)

    def _checked(self, claims: Any) -> Claims:
        if not _complete(claims):
            raise refused("The token lacks claims that every access token has (RFC 9068).")
        if claims["iss"] != self.issuer or self.audience not in _listed(claims["aud"]):
            raise refused("The token was made by another issuer, or for another API.")
        now = time()
        if claims["exp"] <= now:
            raise refused("The token has expired; ask for a new one.")
        if claims["iat"] > now + LEEWAY_SECONDS:
            raise refused("The token was issued in the future.")
        storefronts = claims.get("storefronts")
        return Claims(
            claims["sub"], claims["client_id"], tuple(claims["scope"].split()), claims["jti"], claims["iat"],
            claims["exp"], claims.get("grant_id"), None if storefronts is None else tuple(storefronts),
            claims.get("cnf", {}).get("jkt"),
        )  # fmt: skip


def _complete(claims: Any) -> bool:
    return (
        isinstance(claims, dict)
        and all(isinstance(claims.get(name), str) for name in _TEXTS)
        and all(type(claims.get(name)) is int for name in ("iat", "exp"))
        and isinstance(claims.get("aud"), str | list)
    )


def _listed(audience: str | list[str]) -> list[str]:
    return [audience] if isinstance(audience, str) else audience


def _kid(token: str) -> str:
    """The key id of a token whose header is exactly one of ours; what else it may name (jwk, jku, x5u, crit) is never read."""
    if len(token) > LONGEST_TOKEN or not token.isascii() or token.count(".") != 2:
        raise refused("The token is no token of this server.")
    head, _, signature = token.split(".")
    try:
        header = orjson.loads(urlsafe_b64decode(head.encode()))
        # Base64 leaves bits over at the end: without this, another text would be the same token.
        if urlsafe_b64encode(urlsafe_b64decode(signature.encode())) != signature.encode():
            raise ValueError
    except ValueError:
        raise refused("The token is no token of this server.") from None
    if not isinstance(header, dict) or set(header) != _HEADER or not isinstance(header["kid"], str):
        raise refused("The token is no access token of this server: its header differs.")
    if header["alg"] != "RS256" or header["typ"] != "at+jwt":
        raise refused("The token is no access token of this server: alg must be RS256 and typ at+jwt.")
    return str(header["kid"])
