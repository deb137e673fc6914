"""The log of what bears on security: entries chained by hashes within each organisation. Written in the act's own transaction."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection
from sqlalchemy import text as sql

from db.cursors import rfc3339
from db.ids import new_id

FIRST: Final = bytes(32)


def record(
    connection: Connection,
    organization_id: str,
    *,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, Any] = {},
) -> None:
    """Adds an entry. `actor`: who did it (an id, or `operator`); `action` such as `secret.created`; never a secret in it."""
    connection.execute(sql("select pg_advisory_xact_lock(hashtextextended(:id, 1))"), {"id": organization_id})
    last = connection.execute(
        sql("select number, hash from audit_entries where organization_id = :id order by number desc limit 1"),
        {"id": organization_id},
    ).first()
    number, previous = (last.number + 1, last.hash) if last is not None else (1, FIRST)
    now = datetime.now(UTC)
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    entry = {
        "number": number,
        "at": rfc3339(now),
        "actor": actor,
        "action": action,
        "subject": subject,
        "details": dict(details),
    }
    connection.execute(
        sql(
            "insert into audit_entries (id, organization_id, number, at, actor, action, subject, details, previous_hash, "
            "hash) values (:id, :organization_id, :number, :at, :actor, :action, :subject, cast(:details as json), "
            ":previous, :hash)"
        ),
        {
            "id": new_id("aud"), "organization_id": organization_id, "number": number, "at": now, "actor": actor,
            "action": action, "subject": subject, "details": orjson.dumps(dict(details)).decode(), "previous": previous,
            "hash": chained(previous, entry),
        },
    )  # fmt: skip


def chained(previous: bytes, entry: Mapping[str, Any]) -> bytes:
    """The hash of an entry: SHA-256 over the hash before it and the entry's canonical JSON (keys sorted, compact)."""
    kept = {name: entry[name] for name in ("number", "at", "actor", "action", "subject", "details")}
    return hashlib.sha256(previous + orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)).digest()


def broken_at(entries: Iterable[Mapping[str, Any]]) -> int | None:
    """The number of the first entry, of all of an organisation's in order, that was changed or follows a gap; None: whole."""
    previous = FIRST
    for number, entry in enumerate(entries, 1):
        if entry["number"] != number or entry["hash"] != chained(previous, entry).hex():
            return number
        previous = bytes.fromhex(entry["hash"])
    return None
