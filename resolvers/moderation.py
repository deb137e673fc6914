"""The operator's word on an uploaded asset."""

from typing import Any, Literal

from sqlmodel import select

from db.bodies.assets import AssetBody
from db.sessions import Database
from db.tables import Asset
from resolvers.context import Clock, utc_now
from resolvers.errors import Conflict, NotFound

Decision = Literal["approved", "rejected"]


async def decide(
    db: Database, *, asset_id: str, decision: Decision, reason: str | None = None, clock: Clock = utc_now
) -> dict[str, Any]:  # fmt: skip
    """Approves or rejects an asset, and answers with it as it then stands.

    Any decision can be taken back: what was rejected can be approved, and rejecting a published asset takes it away from
    those who were granted it. Saying the same again changes nothing.
    """
    async with db.write() as session:
        row = (await session.exec(select(Asset).where(Asset.id == asset_id).with_for_update())).first()
        if row is None:
            raise NotFound("asset", asset_id[:64])
        if decision == "approved" and row.status == "published":
            raise Conflict("It is published already, so it was approved before.", code="already_published")
        if (row.status, row.review_reason) != (decision, reason):
            row.status, row.review_reason, row.updated_at = decision, reason, clock()
            await session.flush()
        return AssetBody.of(row).as_json()
