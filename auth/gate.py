"""The one way in: credentials become a viewer, and the client's quota is counted, for every surface alike."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

import asyncpg

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
    async def still_good(self, authorization: str | None, api_key: str | None, address: str) -> None: ...


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
        await self.count(viewer, answer_headers)
        return viewer

    async def count(self, viewer: Viewer, answer_headers: list[tuple[bytes, bytes]] | None = None) -> None:
        """Counts one request of a viewer whose credentials are known, as of each operation on a socket; raises RateLimited."""
        admission = self._limiter.admit_now(viewer.client_id, viewer.tier)
        if admission is None:
            admission = await self._limiter.admit(viewer.client_id, viewer.tier)
        if admission.policy_header and answer_headers is not None:
            answer_headers.append((b"ratelimit-policy", admission.policy_header))
            answer_headers.append((b"ratelimit", admission.limit_header))
        if not admission.allowed:
            raise RateLimited(admission.retry_after)

    async def recheck(self, headers: Headers, scope: Mapping[str, Any]) -> None:
        """Raises Unauthenticated where the credentials of an open stream have expired or were revoked. Counts nothing, and
        asks for no second proof of possession: the connection is the one that was proved. While the database is away, what
        was good stays good."""
        authorization, api_key = _text(headers.get(b"authorization")), _text(headers.get(b"x-api-key"))
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await self._authenticator.still_good(authorization, api_key, _address(scope))

    async def _viewer(self, headers: Headers, scope: Mapping[str, Any]) -> Viewer:
        authorization, api_key = headers.get(b"authorization"), headers.get(b"x-api-key")
        if authorization is not None and api_key is None and authorization[:7].lower() == b"bearer ":
            viewer = self._authenticator.cached(authorization[7:].decode("latin-1"))
            if viewer is not None:
                return viewer
        source = Source(_address(scope), scope["method"], scope["path"], _text(headers.get(b"dpop")))
        try:
            return await self._authenticator.authenticate(_text(authorization), _text(api_key), source)
        except Unauthenticated as error:
            error.resource_metadata = self._resource_metadata
            raise


def _address(scope: Mapping[str, Any]) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
