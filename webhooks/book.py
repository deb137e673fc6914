"""What a worker knows of the endpoints, read anew whenever their rows change."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import structlog
from cryptography.exceptions import InvalidTag

from webhooks.lanes import Endpoint
from webhooks.signing import Seal, SigningKey

_SECRETS = "select endpoint_id, secret_sealed, seed_sealed, expires_at from webhook_secrets where endpoint_id = any($1::text[]) order by id desc"  # noqa: E501
_ROWS = "select w.* from webhook_endpoints w where w.id = any($1::text[])"


_log = structlog.get_logger("webhooks")


class Book:
    """Endpoints by id, with their keys opened."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._known: dict[str, Endpoint] = {}

    async def read(self, connection: Any, rows: Sequence[asyncpg.Record]) -> list[Endpoint]:
        """Rows of endpoints as such; keys are fetched for those that are new or changed."""
        changed = [row for row in rows if self._stale(row)]
        if changed:
            keys = await self._keys(connection, [row["id"] for row in changed])
            for row in changed:
                self._known[row["id"]] = _endpoint(row, keys.get(row["id"], ()))
        return [self._known[row["id"]] for row in rows]

    async def find(self, connection: Any, ids: Sequence[str]) -> dict[str, Endpoint]:
        """Endpoints by id, as they are now; those that are no more are missing."""
        found = await self.read(connection, await connection.fetch(_ROWS, ids))
        return {endpoint.id: endpoint for endpoint in found}

    def _stale(self, row: asyncpg.Record) -> bool:
        known = self._known.get(row["id"])
        return known is None or known.stamp != _stamp(row)

    async def _keys(self, connection: Any, ids: list[str]) -> dict[str, tuple[SigningKey, ...]]:
        keys: dict[str, tuple[SigningKey, ...]] = {}
        for row in await connection.fetch(_SECRETS, ids):
            owner = row["endpoint_id"]
            try:
                keys[owner] = (*keys.get(owner, ()), self._key(row, owner))
            except InvalidTag:
                _log.error("webhook_secret_unreadable", webhook=owner, hint="was FSHNISTA_SECRET changed?")
        return keys

    def _key(self, row: asyncpg.Record, owner: str) -> SigningKey:
        secret, seed = self._seal.open(row["secret_sealed"], owner), self._seal.open(row["seed_sealed"], owner)
        return SigningKey(secret, seed, row["expires_at"])


def _stamp(row: asyncpg.Record) -> object:
    return row["updated_at"], row["status"], row["failing_since"] is not None


def _status(row: asyncpg.Record, keys: tuple[SigningKey, ...]) -> str:
    """What cannot be signed is not sent; it waits as if the endpoint were paused."""
    return row["status"] if keys or row["status"] != "enabled" else "paused"


def _endpoint(row: asyncpg.Record, keys: tuple[SigningKey, ...]) -> Endpoint:
    return Endpoint(
        id=row["id"],
        owner_id=row["owner_id"],
        url=row["url"],
        status=_status(row, keys),
        events=frozenset(row["events"]),
        storefront_ids=frozenset(row["storefront_ids"]),
        ordered=row["ordered"],
        concurrency=row["concurrency"],
        rate_limit=row["rate_limit"],
        failing=row["failing_since"] is not None,
        transaction=row["transaction"],
        stamp=_stamp(row),
        keys=keys,
    )
