"""The operator's word on what an organisation may use try-on for."""

import re

from sqlmodel import select

from auth.audit import record
from db.sessions import Database
from db.tables import Organization, TryonApproval
from resolvers.context import Clock, utc_now
from resolvers.errors import Fault, Invalid, NotFound
from resolvers.tryon_inputs import USE_CASE


async def approve(db: Database, *, organization_id: str, use_case: str, clock: Clock = utc_now) -> bool:
    """Lets the organisation use try-on so from now on; False where it could already."""
    if not re.fullmatch(USE_CASE, use_case):
        message = "must be a word of small letters, digits and underscores, such as fitting_room"
        raise Invalid(Fault("/use_case", message))
    async with db.write() as session:
        organization = select(Organization).where(Organization.id == organization_id)
        if (await session.exec(organization.with_for_update())).first() is None:
            raise NotFound("organization", organization_id[:64])
        if await session.get(TryonApproval, (organization_id, use_case)) is not None:
            return False
        session.add(TryonApproval(organization_id=organization_id, use_case=use_case, created_at=clock()))
        await (await session.connection()).run_sync(
            record, organization_id, actor="operator", action="tryon.approved", subject=use_case
        )
        return True
