"""Acts that bear on security, told in the audit log of the organisation that a token is of."""

from collections.abc import Mapping
from typing import Any

from auth.audit import record
from db.sessions import WriteSession
from resolvers.context import Context


async def note_act(
    ctx: Context, session: WriteSession, action: str, subject: str, details: Mapping[str, Any] = {}
) -> None:
    """Writes an entry with the act, in its transaction. Where no organisation stands behind it, it is the user's own log."""
    chain, actor = ctx.viewer.organization_id or ctx.viewer.user_id, ctx.viewer.user_id
    connection = await session.connection()
    await connection.run_sync(
        lambda sync: record(sync, chain, actor=actor, action=action, subject=subject, details=details)
    )
