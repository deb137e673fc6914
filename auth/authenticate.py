"""Credentials become viewers. What was verified once is remembered, so that the next request costs a look into a dict."""

from dataclasses import dataclass
from time import monotonic, time
from typing import Final

from auth.clients import Client, Clients
from auth.errors import Unauthenticated
from auth.revocations import Revocations
from auth.secrets import is_well_formed
from auth.tokens import Claims, Tokens, refused
from auth.usage import Usage
from auth.viewer import Viewer

# After this long a token is looked at anew, so that a change of its client's tier or status is seen.
REMEMBERED_SECONDS: Final = 30.0
REMEMBERED_VIEWERS: Final = 20_000
ASK = "Send a token as Authorization: Bearer ...; POST /oauth/token gives one."


@dataclass(slots=True)
class _Remembered:
    viewer: Viewer
    until: float
    family: str | None


class Authenticator:
    """Of one process. Two generations of a dict make a bounded memory that costs no bookkeeping on a hit."""

    def __init__(
        self, tokens: Tokens, clients: Clients, revocations: Revocations, usage: Usage, environment: str
    ) -> None:
        self._tokens, self._clients, self._revocations = tokens, clients, revocations
        self._usage, self._environment = usage, environment
        self._young: dict[str, _Remembered] = {}
        self._old: dict[str, _Remembered] = {}
        revocations.listen(self._forget)

    def cached(self, credential: str) -> Viewer | None:
        """The viewer of a token or key verified before, where it is still good; else None. Costs well under 10 us."""
        entry = self._young.get(credential) or self._old.get(credential)
        if entry is None or entry.until <= monotonic():
            return None
        return entry.viewer

    async def authenticate(self, authorization: str | None, api_key: str | None) -> Viewer:
        """The viewer behind the headers `Authorization` and `X-API-Key`; raises Unauthenticated and says why."""
        credential = self._credential(authorization, api_key)
        viewer = self.cached(credential)
        if viewer is not None:
            return viewer
        if credential.startswith("fsh_"):
            return await self._by_key(credential)
        if api_key is not None:
            raise refused("X-API-Key takes an API key (fsh_...); send a token as Authorization: Bearer ....")
        return await self._by_token(credential)

    def _credential(self, authorization: str | None, api_key: str | None) -> str:
        if authorization is not None and api_key is not None:
            raise Unauthenticated("invalid_request", "Send either Authorization or X-API-Key, not both.")
        if api_key is not None:
            return api_key.strip()
        if authorization is None:
            raise Unauthenticated("", ASK)
        scheme, _, credential = authorization.partition(" ")
        if scheme.lower() != "bearer" or not credential.strip():
            raise Unauthenticated("invalid_request", f"The Authorization header must read Bearer and a token. {ASK}")
        return credential.strip()

    async def _by_key(self, key: str) -> Viewer:
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
        return self._remember(key, viewer, REMEMBERED_SECONDS, None)

    async def _by_token(self, token: str) -> Viewer:
        claims = await self._tokens.verify(token)
        if self._revoked(claims):
            raise refused("The token was revoked; ask for a new one.")
        client = self._active(await self._clients.find(claims.client_id))
        viewer = Viewer(
            claims.user_id, client.id, client.organization_id, frozenset(claims.scopes), client.tier, "token",
            claims.token_id, None if claims.storefront_ids is None else frozenset(claims.storefront_ids),
        )  # fmt: skip
        if self._revoked(claims):
            raise refused("The token was revoked; ask for a new one.")
        return self._remember(token, viewer, min(REMEMBERED_SECONDS, claims.expires_at - time()), claims.family)

    def _revoked(self, claims: Claims) -> bool:
        return self._revocations.covers(
            jti=claims.token_id, family=claims.family, client_id=claims.client_id, issued_at=claims.issued_at
        )

    def _active(self, client: Client | None) -> Client:
        if client is None or not client.active:
            raise refused("The client of this token or key is suspended or gone.")
        return client

    def _remember(self, credential: str, viewer: Viewer, seconds: float, family: str | None) -> Viewer:
        if len(self._young) >= REMEMBERED_VIEWERS:
            self._old, self._young = self._young, {}
        self._young[credential] = _Remembered(viewer, monotonic() + seconds, family)
        return viewer

    async def _forget(self, kind: str, subject: str) -> None:
        """Something was revoked: drops what it covers. A client's live credentials are simply looked at anew."""
        for known in (self._young, self._old):
            gone = [credential for credential, entry in known.items() if _covered(entry, kind, subject)]
            for credential in gone:
                del known[credential]


def _covered(entry: _Remembered, kind: str, subject: str) -> bool:
    match kind:
        case "token" | "key":
            return entry.viewer.token_id == subject
        case "family":
            return entry.family == subject
        case "client":
            return entry.viewer.client_id == subject
    return False
