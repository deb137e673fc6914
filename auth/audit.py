"""The log of what bears on security, in chains of hashes: one for each organisation, each creator, and the platform. An entry is
written in the transaction of the act itself."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection
from sqlalchemy import text as sql

from db.cursors import rfc3339
from db.ids import new_id
from db.sessions import Database

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


@dataclass(frozen=True)
class Head:
    """Where a chain stands. Kept elsewhere, it shows later that nothing was cut off its end."""

    chain: str
    number: int
    hash: str


async def check_chains(db: Database, kept: Iterable[Head] = ()) -> tuple[list[Head], list[str]]:
    """Every chain's head, and what is wrong, one line each: an entry that was changed, a gap, a head that is not as it was kept."""
    heads, faults = [], []
    before = {head.chain: head for head in kept}
    for row in await db.fetch("select distinct chain from audit_entries order by chain"):
        entries = await entries_of(db, row["chain"])
        number = broken_at(entries)
        if number is not None:
            faults.append(f"{row['chain']}: entry {number} was changed, or the one before it is gone")
        heads.append(Head(row["chain"], entries[-1]["number"], entries[-1]["hash"]))
        head = before.pop(row["chain"], None)
        if head is not None and not any((one["number"], one["hash"]) == (head.number, head.hash) for one in entries):
            faults.append(f"{row['chain']}: entry {head.number} is gone, or is another than it was")
    faults += [f"{chain}: the whole chain is gone" for chain in before]
    return heads, faults


async def entries_of(db: Database, chain: str) -> list[dict[str, Any]]:
    """A chain in full, oldest entry first; times and hashes as text."""
    rows = await db.fetch(
        "select number, at, actor, action, subject, details, hash from audit_entries where chain = $1 order by number",
        (chain,),
    )
    return [dict(row) | {"at": rfc3339(row["at"]), "hash": row["hash"].hex()} for row in rows]
