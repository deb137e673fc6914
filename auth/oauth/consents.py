"""What creators allow partners: asked once, remembered, narrowed, withdrawn."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy import text as sql

from auth.audit import record
from auth.oauth.codes import Allowed, revoke_family
from auth.scopes import SCOPES
from db.ids import new_id
from db.sessions import Database

_LIVE: Final = (
    "select id, scopes, storefront_ids from consents where user_id = $1 and client_id = $2 and revoked_at is null"
)
_ALL: Final = (
    "select n.id, n.scopes, n.storefront_ids, n.created_at, c.name as client_name, "
    "(select array_agg(s.name order by s.id) from storefronts s where s.id = any(n.storefront_ids)) as names "
    "from consents n join clients c on c.id = n.client_id where n.user_id = $1 and n.revoked_at is null order by n.id"
)


@dataclass(frozen=True)
class Consent:
    """What stands allowed. `storefront_ids` None: all of them."""

    id: str
    scopes: frozenset[str]
    storefront_ids: frozenset[str] | None


@dataclass(frozen=True)
class Decision:
    """What the creator ticked. `asked`: the scopes that the page showed."""

    user_id: str
    client_id: str
    asked: tuple[str, ...]
    scopes: tuple[str, ...]
    storefront_ids: tuple[str, ...] | None


class Consents:
    """Reads and writes them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def live(self, user_id: str, client_id: str) -> Consent | None:
        """What this creator allows this client now."""
        rows = await self._db.fetch(_LIVE, (user_id, client_id))
        if not rows:
            return None
        ids = rows[0]["storefront_ids"]
        return Consent(rows[0]["id"], frozenset(rows[0]["scopes"]), None if ids is None else frozenset(ids))

    async def of(self, user_id: str) -> list[dict[str, Any]]:
        """Every consent of a creator, for people to read."""
        return [
            {
                "id": row["id"], "client_name": row["client_name"], "since": row["created_at"].date().isoformat(),
                "words": [SCOPES[scope] for scope in SCOPES if scope in row["scopes"]],
                "storefronts": None if row["storefront_ids"] is None else list(row["names"] or ()),
            }
            for row in await self._db.fetch(_ALL, (user_id,))
        ]  # fmt: skip

    async def storefronts(self, user_id: str) -> list[dict[str, str]]:
        """A creator's storefronts: id, name, handle."""
        rows = await self._db.fetch(
            "select id, name, handle from storefronts where owner_id = $1 order by id", (user_id,)
        )
        return [dict(row) for row in rows]

    async def withdraw(self, user_id: str, consent_id: str) -> bool:
        """Takes a consent back, with every token it gave. False where there is none."""
        async with self._db.write() as session:
            connection = await session.connection()
            return await connection.run_sync(lambda sync: _withdraw(sync, user_id, consent_id))


def decide(connection: Connection, decision: Decision) -> Allowed:
    """Writes a decision. What it narrows is taken from tokens given before, too."""
    row = connection.execute(
        sql(
            "select id, scopes, storefront_ids from consents "
            "where user_id = :user_id and client_id = :client_id and revoked_at is null for update"
        ),
        {"user_id": decision.user_id, "client_id": decision.client_id},
    ).first()
    if row is None:
        consent_id = _insert(connection, decision)
        _note(connection, consent_id, "consent.given")
    else:
        consent_id = row.id
        before, refused = set(row.scopes), set(decision.asked) - set(decision.scopes)
        if "preview:twin" in refused:
            _withdraw_twin(connection, decision.user_id, decision.client_id)
        if before & refused or _narrower(decision.storefront_ids, row.storefront_ids):
            _revoke_families(connection, consent_id)
        _update(connection, consent_id, (before - refused) | set(decision.scopes), decision.storefront_ids)
        if (before - refused) | set(decision.scopes) != before or _listed(
            decision.storefront_ids
        ) != row.storefront_ids:
            _note(connection, consent_id, "consent.changed")
    return Allowed(consent_id, decision.user_id, decision.scopes, decision.storefront_ids)


def _narrower(now: Iterable[str] | None, before: Iterable[str] | None) -> bool:
    return now is not None and (before is None or not set(before) <= set(now))


def _insert(connection: Connection, decision: Decision) -> str:
    """Two windows may decide at once: the later decision is written over the earlier."""
    return str(
        connection.execute(
            sql(
                "insert into consents (id, user_id, client_id, scopes, storefront_ids, created_at, updated_at) "
                "values (:id, :user_id, :client_id, :scopes, :storefront_ids, now(), now()) "
                "on conflict (user_id, client_id) where revoked_at is null do update "
                "set scopes = excluded.scopes, storefront_ids = excluded.storefront_ids, updated_at = now() returning id"
            ),
            {
                "id": new_id("cns"), "user_id": decision.user_id, "client_id": decision.client_id,
                "scopes": list(decision.scopes), "storefront_ids": _listed(decision.storefront_ids),
            },
        ).scalar_one()
    )  # fmt: skip


def _update(connection: Connection, consent_id: str, scopes: set[str], storefronts: tuple[str, ...] | None) -> None:
    connection.execute(
        sql(
            "update consents set scopes = :scopes, storefront_ids = :storefront_ids, updated_at = now() where id = :id"
        ),
        {"id": consent_id, "scopes": sorted(scopes), "storefront_ids": _listed(storefronts)},
    )


def _listed(ids: tuple[str, ...] | None) -> list[str] | None:
    return None if ids is None else list(ids)


def _withdraw(connection: Connection, user_id: str, consent_id: str) -> bool:
    found = connection.execute(
        sql(
            "update consents set revoked_at = now() where id = :id and user_id = :user_id and revoked_at is null "
            "returning client_id"
        ),
        {"id": consent_id, "user_id": user_id},
    ).first()
    if found is not None:
        _revoke_families(connection, consent_id)
        _withdraw_twin(connection, user_id, found.client_id)
        _note(connection, consent_id, "consent.withdrawn")
    return found is not None


def _withdraw_twin(connection: Connection, user_id: str, client_id: str) -> None:
    """Whom the creator shuts out, the twin is shut to as well."""
    connection.execute(
        sql(
            "update twin_consents set withdrawn_at = now() "
            "where user_id = :user_id and client_id = :client_id and withdrawn_at is null"
        ),
        {"user_id": user_id, "client_id": client_id},
    )


def _revoke_families(connection: Connection, consent_id: str) -> None:
    rows = connection.execute(
        sql("select id from authorizations where consent_id = :id and revoked_at is null"), {"id": consent_id}
    )
    for (authorization_id,) in rows.all():
        revoke_family(connection, authorization_id, "the creator narrowed or withdrew the consent")


def _note(connection: Connection, consent_id: str, action: str) -> None:
    """Both read of it: the partner's organisation, and the creator."""
    row = connection.execute(
        sql(
            "select n.user_id, n.client_id, n.scopes, n.storefront_ids, c.organization_id from consents n "
            "join clients c on c.id = n.client_id where n.id = :id"
        ),
        {"id": consent_id},
    ).one()
    details = {"client_id": row.client_id, "scopes": row.scopes, "storefront_ids": row.storefront_ids}
    for chain in (row.organization_id, row.user_id):
        record(connection, chain, actor=row.user_id, action=action, subject=consent_id, details=details)
