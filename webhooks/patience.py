"""Endpoints that keep failing: their owners are told, told again, and only then are they disabled."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from auth.audit import PLATFORM, record
from db.ids import new_id
from db.sessions import Database, WriteSession
from db.tables import User, WebhookEndpoint, WebhookNotice
from webhooks.outbox import emit
from webhooks.policy import Patience

_FAILING = "select id from webhook_endpoints where status = 'enabled' and failing_since < :since order by id limit 100"


async def review(db: Database, patience: Patience) -> int:
    """Goes through the endpoints that have been failing for long. Returns how many notices were given."""
    now = datetime.now(UTC)
    first = min((*patience.notices, patience.disable))
    async with db.write() as session:
        ids = [row[0] for row in await session.exec(text(_FAILING).bindparams(since=now - first))]  # type: ignore[call-overload]
    return sum([await _review_one(db, endpoint_id, patience, now) for endpoint_id in ids])


async def _review_one(db: Database, endpoint_id: str, patience: Patience, now: datetime) -> int:
    async with db.write() as session:
        endpoint = await session.get(WebhookEndpoint, endpoint_id, with_for_update=True)
        if endpoint is None or endpoint.status != "enabled" or endpoint.failing_since is None:
            return 0
        age = now - endpoint.failing_since
        if age >= patience.disable:
            days = f"{patience.disable.total_seconds() / 86400:g}"
            await _disable(session, endpoint, f"every delivery failed for {days} days", now)
            return 1
        passed = sum(age >= notice for notice in patience.notices)
        if passed <= endpoint.notices_sent:
            return 0
        endpoint.notices_sent = passed
        moment = f"{endpoint.failing_since + patience.disable:%Y-%m-%d %H:%M} UTC"
        since = f"{endpoint.failing_since:%Y-%m-%d %H:%M} UTC"
        message = f"Every delivery since {since} has failed; disabled at {moment} unless one succeeds."
        await _tell(session, endpoint, "failing", message, now)
        return 1


async def disable(db: Database, endpoint_id: str, reason: str) -> None:
    """Disables an endpoint now, and says so."""
    async with db.write() as session:
        endpoint = await session.get(WebhookEndpoint, endpoint_id, with_for_update=True)
        if endpoint is not None and endpoint.status != "disabled":
            await _disable(session, endpoint, reason, datetime.now(UTC))


async def _disable(session: WriteSession, endpoint: WebhookEndpoint, reason: str, now: datetime) -> None:
    endpoint.status, endpoint.status_reason, endpoint.updated_at = "disabled", reason, now
    await _tell(session, endpoint, "disabled", f"Disabled: {reason}.", now)


async def _tell(session: WriteSession, endpoint: WebhookEndpoint, kind: str, message: str, now: datetime) -> None:
    session.add(
        WebhookNotice(
            id=new_id("ntc"),
            endpoint_id=endpoint.id,
            owner_id=endpoint.owner_id,
            kind=kind,
            message=message,
            created_at=now,
        )
    )
    await session.flush()
    await emit(
        session, type=f"webhook.{kind}", resource_id=endpoint.id, audience=[endpoint.owner_id],
        payload=_payload(endpoint, message), occurred_at=now,
    )  # fmt: skip
    await _note(session, endpoint, f"webhook.{kind}", {"message": message})


async def _note(session: WriteSession, endpoint: WebhookEndpoint, action: str, details: dict[str, str]) -> None:
    """An entry in the audit log of the owner's organisation, or in the owner's own."""
    owner = await session.get_one(User, endpoint.owner_id)
    chain, connection = owner.organization_id or owner.id, await session.connection()
    await connection.run_sync(
        lambda sync: record(sync, chain, actor=PLATFORM, action=action, subject=endpoint.id, details=details)
    )


def _payload(endpoint: WebhookEndpoint, message: str) -> dict[str, Any]:
    return {"id": endpoint.id, "url": endpoint.url, "status": endpoint.status, "message": message}
