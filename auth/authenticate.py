"""Credentials become viewers. What was verified once is remembered, so that the next request costs a look into a dict."""

from dataclasses import dataclass
from time import monotonic, time
from typing import Final

from auth.alarms import Alarms
from auth.clients import Client, Clients, other_environment
from auth.errors import Unauthenticated
from auth.proofs import ALGORITHMS, BadProof, NonceNeeded, Proofs
from auth.revocations import Revocations
from auth.secrets import is_well_formed
from auth.source import FOREIGN_ADDRESS, NOWHERE, Source, is_allowed
from auth.tokens import Claims, Tokens, refused
from auth.usage import Usage
from auth.viewer import Viewer

# After this long a token is looked at anew, so that a change of its client's tier or status is seen.
REMEMBERED_SECONDS: Final = 30.0
REMEMBERED_VIEWERS: Final = 20_000
ASK = "Send a token as Authorization: Bearer ...; POST /oauth/token gives one."


@dataclass(slots=True)
class _Remembered:
    """A viewer, and the conditions under which its credential is good."""

    viewer: Viewer
    until: float
    family: str | None = None
    thumbprint: str | None = None
    needs_nonce: bool = False
    # Every one of these lists must hold the caller's address.
    allowed: tuple[tuple[str, ...], ...] = ()

    @property
    def unconditional(self) -> bool:
        return self.thumbprint is None and not self.allowed


class Authenticator:
    """Of one process. Two generations of a dict make a bounded memory that costs no bookkeeping on a hit."""

    def __init__(
        self, tokens: Tokens, clients: Clients, revocations: Revocations, usage: Usage, alarms: Alarms,
        proofs: Proofs, environment: str,
    ) -> None:  # fmt: skip
        self._tokens, self._clients, self._revocations = tokens, clients, revocations
        self._usage, self._alarms, self._environment = usage, alarms, environment
        self._proofs = proofs
        self._young: dict[str, _Remembered] = {}
        self._old: dict[str, _Remembered] = {}
        revocations.listen(self._forget)

    def cached(self, credential: str) -> Viewer | None:
        """The viewer of a token or key verified before, where it is still good wherever it comes from; else None. Costs well
        under 10 us."""
        entry = self._young.get(credential) or self._old.get(credential)
        if entry is None or entry.until <= monotonic() or not entry.unconditional:
            return None
        return entry.viewer

    async def authenticate(self, authorization: str | None, api_key: str | None, source: Source = NOWHERE) -> Viewer:
        """The viewer behind the headers `Authorization` and `X-API-Key`; raises Unauthenticated and says why."""
        scheme, credential = self._credential(authorization, api_key)
        entry = await self._entry(credential, by_header=api_key is not None)
        self._check_address(entry, source.address)
        await self._check_proof(scheme, credential, entry, source)
        return entry.viewer

    async def still_good(self, authorization: str | None, api_key: str | None, address: str) -> None:
        """Raises Unauthenticated where credentials that once were good have expired or were revoked."""
        _, credential = self._credential(authorization, api_key)
        entry = await self._entry(credential, by_header=api_key is not None)
        self._check_address(entry, address)

    def _check_address(self, entry: _Remembered, address: str) -> None:
        if not all(is_allowed(address, listed) for listed in entry.allowed):
            self._alarms.foreign_address(entry.viewer.organization_id, entry.viewer.client_id, address)
            raise refused(FOREIGN_ADDRESS)

    async def _entry(self, credential: str, *, by_header: bool) -> _Remembered:
        entry = self._young.get(credential) or self._old.get(credential)
        if entry is None or entry.until <= monotonic():
            entry = await self._look_up(credential, by_header=by_header)
        return entry

    async def _look_up(self, credential: str, *, by_header: bool) -> _Remembered:
        if credential.startswith("fsh_"):
            return await self._by_key(credential)
        if by_header:
            raise refused("X-API-Key takes an API key (fsh_...); send a token as Authorization: Bearer ....")
        return await self._by_token(credential)

    def _credential(self, authorization: str | None, api_key: str | None) -> tuple[str, str]:
        if authorization is not None and api_key is not None:
            raise Unauthenticated("invalid_request", "Send either Authorization or X-API-Key, not both.")
        if api_key is not None:
            return "bearer", api_key.strip()
        if authorization is None:
            raise Unauthenticated("", ASK)
        scheme, _, credential = authorization.partition(" ")
        if scheme.lower() not in ("bearer", "dpop") or not credential.strip():
            raise Unauthenticated("invalid_request", f"The Authorization header must read Bearer and a token. {ASK}")
        return scheme.lower(), credential.strip()

    async def _check_proof(self, scheme: str, token: str, entry: _Remembered, source: Source) -> None:
        """A bound token needs a proof of its key, and comes as DPoP; another one comes as Bearer (RFC 9449 section 7)."""
        if entry.thumbprint is None and scheme == "bearer":
            return
        if entry.thumbprint is None or scheme == "bearer":
            raise _dpop("invalid_token", "A token bound to a key comes as Authorization: DPoP, any other as Bearer.")
        url = self._tokens.audience + source.path
        try:
            thumbprint = await self._proofs.check(
                source.proof or "", method=source.method, url=url, token=token, needs_nonce=entry.needs_nonce
            )
        except NonceNeeded as error:
            raise _dpop("use_dpop_nonce", str(error)) from None
        except BadProof as error:
            raise _dpop("invalid_dpop_proof", str(error)) from None
        if thumbprint != entry.thumbprint:
            raise _dpop("invalid_token", "The proof is signed with another key than the token is bound to.")

    async def _by_key(self, key: str) -> _Remembered:
        if self._environment != "sandbox":
            raise refused("API keys work in the sandbox alone; in production ask POST /oauth/token for a token.")
        if not is_well_formed(key, "api_key", self._environment):
            raise refused("This is no API key of the sandbox: its checksum does not fit. Was it copied in full?")
        holder = await self._clients.by_api_key(key)
        if holder is None or self._revocations.covers_key(holder.key_id, holder.client.id):
            raise refused("This API key is unknown, expired or revoked.")
        self._usage.note("api_keys", holder.key_id)
        client = self._active(holder.client)
        viewer = Viewer(
            client.user_id, client.id, client.organization_id, frozenset(holder.scopes), client.tier, "api_key",
            holder.key_id,
        )  # fmt: skip
        until = monotonic() + REMEMBERED_SECONDS
        allowed = tuple(listed for listed in (holder.allowed_addresses, client.allowed_addresses) if listed)
        return self._remember(key, _Remembered(viewer, until, allowed=allowed))

    async def _by_token(self, token: str) -> _Remembered:
        claims = await self._tokens.verify(token)
        if self._revoked(claims):
            raise refused("The token was revoked; ask for a new one.")
        client = self._active(await self._clients.find(claims.client_id))
        viewer = Viewer(
            claims.user_id, client.id, client.organization_id, frozenset(claims.scopes), client.tier, "token",
            claims.token_id, None if claims.storefront_ids is None else frozenset(claims.storefront_ids),
            creator=claims.family is not None,
        )  # fmt: skip
        if self._revoked(claims):
            raise refused("The token was revoked; ask for a new one.")
        until = monotonic() + min(REMEMBERED_SECONDS, claims.expires_at - time())
        allowed = (client.allowed_addresses,) if client.allowed_addresses else ()
        entry = _Remembered(viewer, until, claims.family, claims.thumbprint, client.dpop_bound, allowed)
        return self._remember(token, entry)

    def _revoked(self, claims: Claims) -> bool:
        return self._revocations.covers(
            jti=claims.token_id, family=claims.family, client_id=claims.client_id, issued_at=claims.issued_at
        )

    def _active(self, client: Client | None) -> Client:
        if client is None or not client.active:
            raise refused("The client of this token or key is suspended or gone.")
        if client.environment != self._environment:
            raise refused(other_environment(client.environment, self._environment))
        return client

    def _remember(self, credential: str, entry: _Remembered) -> _Remembered:
        if len(self._young) >= REMEMBERED_VIEWERS:
            self._old, self._young = self._young, {}
        self._young[credential] = entry
        return entry

    async def _forget(self, kind: str, subject: str) -> None:
        """Something was revoked: drops what it covers. A client's live credentials are simply looked at anew."""
        for known in (self._young, self._old):
            gone = [credential for credential, entry in known.items() if _covered(entry, kind, subject)]
            for credential in gone:
                del known[credential]


def _dpop(error: str, message: str) -> Unauthenticated:
    found = Unauthenticated(error, message)
    found.scheme, found.algorithms = "DPoP", " ".join(ALGORITHMS)
    return found


def _covered(entry: _Remembered, kind: str, subject: str) -> bool:
    match kind:
        case "token" | "key":
            return entry.viewer.token_id == subject
        case "family":
            return entry.family == subject
        case "client" | "changed":
            return entry.viewer.client_id == subject
    return False
