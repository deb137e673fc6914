"""The clients as identity needs them: whom they act for, what they hold, and how they prove who they are."""

from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from auth.secrets import Hasher
from db.sessions import Database

_CLIENT: Final = (
    "select c.id, c.organization_id, c.scopes, c.redirect_uris, c.tier, c.status, c.name, c.auth_method, c.jwks, "
    "c.dpop_bound, c.allowed_addresses, c.environment, c.registration_hash is not null as self_registered, u.id as user_id, "
    "o.name as organization_name "
    "from clients c join users u on u.organization_id = c.organization_id "
    "join organizations o on o.id = c.organization_id "
)
_SECRETS: Final = (
    "select s.id, s.hash, s.last_used_at from client_secrets s where s.client_id = $1 and s.revoked_at is null "
    "and (s.expires_at is null or s.expires_at > now())"
)
_WITH_SECRETS: Final = (
    "with live as (" + _SECRETS + ") select x.*, (select array_agg(hash) from live) as hashes, "
    "(select array_agg(id) from live) as secret_ids from (" + _CLIENT + "where c.id = $1) x"
)
_BY_KEY: Final = (
    _CLIENT.replace(
        "select ", "select k.id as key_id, k.scopes as key_scopes, k.allowed_addresses as key_addresses, ", 1
    )
    + "join api_keys k on k.client_id = c.id "
    "where k.hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())"
)


@dataclass(frozen=True)
class Client:
    """An application and the organisation behind it. `user_id`: as whom its own tokens act."""

    id: str
    organization_id: str
    organization_name: str
    user_id: str
    name: str
    scopes: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    tier: str
    active: bool
    environment: str
    self_registered: bool = False
    auth_method: str = "secret"
    jwks: dict[str, Any] = field(default_factory=dict)
    dpop_bound: bool = False
    allowed_addresses: tuple[str, ...] = ()
    hashes: tuple[bytes, ...] = ()
    secret_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeyHolder:
    """An API key that is live, and its client."""

    key_id: str
    scopes: tuple[str, ...]
    allowed_addresses: tuple[str, ...]
    client: Client


def _client(row: asyncpg.Record, **more: Any) -> Client:
    return Client(
        row["id"], row["organization_id"], row["organization_name"], row["user_id"], row["name"],
        tuple(row["scopes"]), tuple(row["redirect_uris"]), row["tier"], row["status"] == "active",
        row["environment"], row["self_registered"],        row["auth_method"], row["jwks"],
        row["dpop_bound"], tuple(row["allowed_addresses"]), **more,
    )  # fmt: skip


def other_environment(of: str, here: str) -> str:
    """What a client reads that is of another environment than the server that it asks."""
    return f"This client is of the {of} environment; this server is {here}, and knows it not."


class Clients:
    """Looks clients up, one statement each."""

    def __init__(self, db: Database, hasher: Hasher) -> None:
        self._db = db
        self.hasher = hasher

    async def find(self, client_id: str) -> Client | None:
        """The client with the hashes of its live secrets."""
        if "\0" in client_id:
            return None
        rows = await self._db.fetch(_WITH_SECRETS, (client_id,))
        if not rows:
            return None
        row = rows[0]
        return _client(row, hashes=tuple(row["hashes"] or ()), secret_ids=tuple(row["secret_ids"] or ()))

    async def by_api_key(self, key: str) -> KeyHolder | None:
        """The live API key that this is, and its client."""
        rows = await self._db.fetch(_BY_KEY, (self.hasher.hash(key),))
        if not rows:
            return None
        row, client = rows[0], _client(rows[0])
        held = tuple(row["key_scopes"]) or client.scopes
        scopes = tuple(scope for scope in held if scope in client.scopes)
        return KeyHolder(row["key_id"], scopes, tuple(row["key_addresses"]), client)
