"""Somebody asks for access; the operator decides; approval makes the organisation, its client and its secret."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from auth.audit import PLATFORM, record
from auth.partners import Partner, WrongAccount, add_partner
from auth.scopes import DEFAULT_SCOPES
from auth.secrets import Hasher
from db.ids import new_id
from db.sessions import Database, WriteSession
from db.tables.organizations import Application


@dataclass(frozen=True)
class Wish:
    """What an applicant tells."""

    organization_name: str
    contact_email: str
    use_case: str
    expected_volume: str
    timeline: str


async def apply(db: Database, wish: Wish) -> tuple[Application, bool]:
    """Keeps the wish; the same one, while it is pending, is kept once. Gives it, and whether it is new."""
    async with db.write() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("select pg_advisory_xact_lock(hashtext('applications'))")
        found = await db.fetch(
            "select id from applications where organization_name = $1 and contact_email = $2 and status = 'pending'",
            (wish.organization_name, wish.contact_email),
        )
        if found:
            known = await session.get(Application, found[0]["id"])
            if known is not None:
                return known, False
        row = Application(id=new_id("app"), created_at=datetime.now(UTC), **vars(wish))
        session.add(row)
    return row, True


async def waiting(db: Database) -> list[dict[str, Any]]:
    """The wishes that nobody has decided on, oldest first."""
    rows = await db.fetch(
        "select id, organization_name, contact_email, use_case, expected_volume, timeline, created_at "
        "from applications where status = 'pending' order by id"
    )
    return [dict(row) for row in rows]


async def approve(
    db: Database, hasher: Hasher, application_id: str, *, environment: str, tier: str = "default"
) -> Partner:
    """Makes the organisation, its client and its secret, in one transaction with the decision."""
    async with db.write() as session:
        row = await session.get(Application, application_id, with_for_update=True)
        if row is None or row.status != "pending":
            raise WrongAccount(f"There is no pending application {application_id}.")
        made = await add_partner(
            session, hasher, row.organization_name, environment=environment, scopes=DEFAULT_SCOPES, redirect_uris=(),
            tier=tier, region="eu",
        )  # fmt: skip
        row.status, row.organization_id, row.decided_at = "approved", made.organization_id, datetime.now(UTC)
        await _note(session, made.organization_id, "application.approved", row.id)
        return made


async def reject(db: Database, application_id: str, reason: str) -> None:
    """Says no, and why."""
    async with db.write() as session:
        row = await session.get(Application, application_id, with_for_update=True)
        if row is None or row.status != "pending":
            raise WrongAccount(f"There is no pending application {application_id}.")
        row.status, row.reason, row.decided_at = "rejected", reason, datetime.now(UTC)
        await _note(session, PLATFORM, "application.rejected", row.id)


async def _note(session: WriteSession, chain: str, action: str, application_id: str) -> None:
    connection = await session.connection()
    await connection.run_sync(record, chain, actor="operator", action=action, subject=application_id)
