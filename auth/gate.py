"""The one way in: credentials become a viewer, and the client's quota is counted, for every surface alike."""

from collections.abc import Mapping
from typing import Any, Protocol

from auth.errors import RateLimited, Unauthenticated
from auth.source import Source
from auth.viewer import Viewer

Headers = Mapping[bytes, bytes]


class Admission(Protocol):
    """What the limiter says of one request; the two headers tell the client where it stands."""

    @property
    def allowed(self) -> bool: ...
    @property
    def policy_header(self) -> bytes: ...
    @property
    def limit_header(self) -> bytes: ...
    @property
    def retry_after(self) -> int: ...


class Authenticates(Protocol):
    """Turns credentials into viewers."""

    def cached(self, credential: str) -> Viewer | None: ...
    async def authenticate(self, authorization: str | None, api_key: str | None, source: Source = ...) -> Viewer: ...


class Limits(Protocol):
    """Counts requests by client."""

    def admit_now(self, client_id: str, tier: str) -> Admission | None: ...
    async def admit(self, client_id: str, tier: str) -> Admission: ...


class Gives(Protocol):
    """Makes nonces."""

    def new(self) -> str: ...


class Gate:
    """Admits requests. `answer_headers` collects what the answer must carry whatever becomes of the request."""

    def __init__(
        self, authenticator: Authenticates, limiter: Limits, *, nonces: Gives, resource_metadata: str = ""
    ) -> None:
        self._authenticator = authenticator
        self._limiter, self._nonces = limiter, nonces
        self._resource_metadata = resource_metadata

    async def admit(
        self, headers: Headers, answer_headers: list[tuple[bytes, bytes]], scope: Mapping[str, Any]
    ) -> Viewer:
        """The viewer of this request, counted against its client's quota; raises Unauthenticated or RateLimited."""
        if b"dpop" in headers:
            answer_headers.append((b"dpop-nonce", self._nonces.new().encode()))
        viewer = await self._viewer(headers, scope)
        admission = self._limiter.admit_now(viewer.client_id, viewer.tier)
        if admission is None:
            admission = await self._limiter.admit(viewer.client_id, viewer.tier)
        if admission.policy_header:
            answer_headers.append((b"ratelimit-policy", admission.policy_header))
            answer_headers.append((b"ratelimit", admission.limit_header))
        if not admission.allowed:
            raise RateLimited(admission.retry_after)
        return viewer

    async def _viewer(self, headers: Headers, scope: Mapping[str, Any]) -> Viewer:
        authorization, api_key = headers.get(b"authorization"), headers.get(b"x-api-key")
        if authorization is not None and api_key is None and authorization[:7].lower() == b"bearer ":
            viewer = self._authenticator.cached(authorization[7:].decode("latin-1"))
            if viewer is not None:
                return viewer
        client = scope.get("client")
        source = Source(client[0] if client else "", scope["method"], scope["path"], _text(headers.get(b"dpop")))
        try:
            return await self._authenticator.authenticate(_text(authorization), _text(api_key), source)
        except Unauthenticated as error:
            error.resource_metadata = self._resource_metadata
            raise


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
