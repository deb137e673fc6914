"""The log of what bears on security, in chains of hashes: one for each organisation, each creator, and the platform. An entry is
written in the transaction of the act itself."""

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
# The chain of what concerns every partner: signing keys.
PLATFORM: Final = "platform"


def record(
    connection: Connection,
    chain: str,
    *,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, Any] = {},
) -> None:
    """Adds an entry to a chain (an id, or PLATFORM). `actor`: who did it (an id, or `operator`); `action` such as
    `secret.created`; never a secret in it."""
    connection.execute(sql("select pg_advisory_xact_lock(hashtextextended(:chain, 1))"), {"chain": chain})
    last = connection.execute(
        sql("select number, hash from audit_entries where chain = :chain order by number desc limit 1"),
        {"chain": chain},
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
            "insert into audit_entries (id, chain, number, at, actor, action, subject, details, previous_hash, "
            "hash) values (:id, :chain, :number, :at, :actor, :action, :subject, cast(:details as json), "
            ":previous, :hash)"
        ),
        {
            "id": new_id("aud"), "chain": chain, "number": number, "at": now, "actor": actor,
            "action": action, "subject": subject, "details": orjson.dumps(dict(details)).decode(), "previous": previous,
            "hash": chained(previous, entry),
        },
    )  # fmt: skip


def chained(previous: bytes, entry: Mapping[str, Any]) -> bytes:
    """The hash of an entry: SHA-256 over the hash before it and the entry's canonical JSON (keys sorted, compact)."""
    kept = {name: entry[name] for name in ("number", "at", "actor", "action", "subject", "details")}
    return hashlib.sha256(previous + orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)).digest()


def broken_at(entries: Iterable[Mapping[str, Any]]) -> int | None:
    """The number of the first entry, of all of a chain's in order, that was changed or follows a gap; None: whole."""
    previous = FIRST
    for number, entry in enumerate(entries, 1):
        if entry["number"] != number or entry["hash"] != chained(previous, entry).hex():
            return number
        previous = bytes.fromhex(entry["hash"])
    return None
