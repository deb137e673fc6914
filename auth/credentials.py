"""A client's secrets and API keys: made, listed, revoked, and revoked at once where somebody reports a leak."""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Connection
from sqlalchemy import text as sql

from auth.audit import record
from auth.revocations import Kind
from auth.secrets import Hasher, derived_secret, hint, is_well_formed, new_secret
from auth.secrets import Kind as Secret
from auth.tokens import TOKEN_SECONDS
from db.ids import new_id

MOST_SECRETS: Final = 2
MOST_KEYS: Final = 50
Table = Literal["client_secrets", "api_keys"]
TABLES: Final[dict[Table, Secret]] = {"client_secrets": "client_secret", "api_keys": "api_key"}
_LIVE: Final = "revoked_at is null and (expires_at is null or expires_at > now())"


@dataclass(frozen=True)
class Holder:
    """Whose credentials they are, and who acts on them."""

    organization_id: str
    client_id: str
    actor: str


def fresh(hasher: Hasher, kind: Secret, environment: str, seed: str | None) -> str:
    """A new secret; with a seed (of a request that may be repeated) the same one each time."""
    if seed is None:
        return new_secret(kind, environment)
    return derived_secret(kind, environment, hmac.digest(hasher.derive("repeated requests"), seed.encode(), "sha256"))


def count_live(connection: Connection, table: Table, client_id: str) -> int:
    """How many of a client's are live; the client's row is locked, so that two requests cannot both be the last."""
    connection.execute(sql("select 1 from clients where id = :id for update"), {"id": client_id})
    found = connection.execute(
        sql(f"select count(*) from {table} where client_id = :id and {_LIVE}"), {"id": client_id}
    )
    return int(found.scalar_one())


def add(
    connection: Connection, table: Table, holder: Holder, secret: str, hashed: bytes, *,
    expires_at: datetime | None = None, scopes: tuple[str, ...] = (), addresses: tuple[str, ...] = (),
) -> str:  # fmt: skip
    """Keeps a new one, and gives its id."""
    id_ = new_id("key")
    values: dict[str, Any] = {
        "id": id_,
        "client_id": holder.client_id,
        "hash": hashed,
        "hint": hint(secret),
        "expires_at": expires_at,
    }
    columns = "id, client_id, hash, hint, expires_at, created_at"
    places = ":id, :client_id, :hash, :hint, :expires_at, now()"
    if table == "api_keys":
        columns, places = f"{columns}, scopes, allowed_addresses", f"{places}, :scopes, :addresses"
        values |= {"scopes": list(scopes), "addresses": list(addresses)}
    connection.execute(sql(f"insert into {table} ({columns}) values ({places})"), values)
    details = {"hint": hint(secret), "scopes": list(scopes), "allowed_addresses": list(addresses)}
    _record(connection, holder, f"{TABLES[table]}.created", id_, details)
    return id_


def retire_others(connection: Connection, holder: Holder, keep: str, seconds: int) -> None:
    """The client's other secrets expire after this overlap, or earlier where they would anyway."""
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    connection.execute(
        sql(
            f"update client_secrets set expires_at = least(coalesce(expires_at, :until), :until) "
            f"where client_id = :client_id and id <> :keep and {_LIVE}"
        ),
        {"until": until, "client_id": holder.client_id, "keep": keep},
    )
    _record(connection, holder, "client_secret.retiring", holder.client_id, {"seconds": seconds, "kept": keep})


def revoke(connection: Connection, holder: Holder, id_: str, *, why: str = "revoked") -> bool:
    """Revokes one of a client's; False where it has none of this id that is live. Tokens got with a secret live on, unless
    the secret leaked."""
    for table, kind in TABLES.items():
        found = connection.execute(
            sql(
                f"update {table} set revoked_at = now() where id = :id and client_id = :client_id and revoked_at is null"
            ),
            {"id": id_, "client_id": holder.client_id},
        )
        if found.rowcount:
            if table == "api_keys":
                announce(connection, "key", id_, 400 * 86400)
            elif why == "leaked":
                announce(connection, "client", holder.client_id, TOKEN_SECONDS + 60)
            _record(connection, holder, f"{kind}.{why}", id_, {})
            return True
    return False


def report_leak(connection: Connection, hasher: Hasher, environment: str, text: str) -> None:
    """Revokes a secret or key that somebody found, at once. What is none of ours, or is dead already, changes nothing."""
    for table, kind in TABLES.items():
        if not is_well_formed(text, kind, environment):
            continue
        row = connection.execute(
            sql(
                f"select t.id, t.client_id, c.organization_id from {table} t join clients c on c.id = t.client_id "
                "where t.hash = :hash and t.revoked_at is null for update of t"
            ),
            {"hash": hasher.hash(text)},
        ).first()
        if row is not None:
            revoke(connection, Holder(row.organization_id, row.client_id, "leak report"), row.id, why="leaked")


def announce(connection: Connection, kind: Kind, subject: str, seconds: int) -> None:
    """Tells every process of something revoked or changed, within seconds of the commit."""
    connection.execute(
        sql(
            "insert into revocations (kind, subject, revoked_at, expires_at) values (:kind, :subject, now(), "
            "now() + make_interval(secs => :seconds)) on conflict (kind, subject) do update set revoked_at = now(), "
            "expires_at = greatest(revocations.expires_at, excluded.expires_at)"
        ),
        {"kind": kind, "subject": subject, "seconds": seconds},
    )


def _record(connection: Connection, holder: Holder, action: str, subject: str, details: dict[str, Any]) -> None:
    record(connection, holder.organization_id, actor=holder.actor, action=action, subject=subject, details=details)
