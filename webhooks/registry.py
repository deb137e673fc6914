"""The keys of endpoints: made, shown again, rotated."""

from datetime import datetime

from sqlmodel import col, select

from db.ids import new_id
from db.sessions import WriteSession
from db.tables import WebhookSecret
from webhooks.signing import Seal, SigningKey, new_key

MOST_LIVE = 10


class TooManySecrets(ValueError):
    """An endpoint has as many live secrets as it may have."""


async def add_key(session: WriteSession, seal: Seal, endpoint_id: str, now: datetime) -> SigningKey:
    """Gives an endpoint a fresh generation of keys, and returns it."""
    key = new_key()
    session.add(
        WebhookSecret(
            id=new_id("key"),
            endpoint_id=endpoint_id,
            secret_sealed=seal.close(key.secret, endpoint_id),
            seed_sealed=seal.close(key.seed, endpoint_id),
            public_key=key.public_bytes,
            created_at=now,
        )
    )
    await session.flush()
    return key


async def rotate(session: WriteSession, seal: Seal, endpoint_id: str, now: datetime, until: datetime) -> SigningKey:
    """A new generation; every older one signs along until `until` at most. TooManySecrets where ten are live."""
    rows = await live_keys(session, endpoint_id, now)
    if len(rows) >= MOST_LIVE:
        raise TooManySecrets(endpoint_id)
    for row in rows:
        row.expires_at = until if row.expires_at is None else min(row.expires_at, until)
    return await add_key(session, seal, endpoint_id, now)


async def live_keys(session: WriteSession, endpoint_id: str, now: datetime) -> list[WebhookSecret]:
    """The generations that still sign, newest first."""
    expires = col(WebhookSecret.expires_at)
    query = select(WebhookSecret).where(WebhookSecret.endpoint_id == endpoint_id)
    query = query.where(expires.is_(None) | (expires > now)).order_by(col(WebhookSecret.id).desc())
    return list((await session.exec(query)).all())
