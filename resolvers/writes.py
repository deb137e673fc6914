"""Writes: one transaction each, acting once for each idempotency key whichever surface it comes through."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b, sha256
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.sessions import WriteSession
from db.tables import IdempotencyKey
from resolvers.context import Context
from resolvers.errors import Conflict, Fault, Invalid

KEPT = timedelta(hours=24)
MOST_ATTEMPTS = 3
# PostgreSQL took this transaction back so that another could go on; the same again will pass.
_CLASHES = frozenset({"40001", "40P01"})


@dataclass(frozen=True)
class Written:
    """What a write came to: the thing as REST tells it, whether it is new or differs, whether this is a repeated answer."""

    body: dict[str, Any]
    created: bool = False
    replayed: bool = False
    changed: bool = True

    @property
    def id(self) -> str:
        """The id of what was written."""
        return str(self.body["id"])


Act = Callable[[WriteSession], Awaitable[Written]]


async def write(ctx: Context, operation: str, arguments: Mapping[str, Any], act: Act) -> Written:
    """Runs `act` in one transaction. With an idempotency key, the same operation and arguments act once in 24 hours."""
    for attempt in range(1, MOST_ATTEMPTS + 1):
        try:
            written = await _transact(ctx, operation, arguments, act)
        except DBAPIError as error:
            state = str(getattr(error.orig, "sqlstate", None))
            if state.startswith("22"):  # nothing was written
                raise Invalid(Fault("", "holds text or a number that cannot be kept, such as a NUL")) from error
            if state not in _CLASHES or attempt == MOST_ATTEMPTS:
                raise
        else:
            ctx.replays.append(written.replayed)
            return written
    raise AssertionError("the last attempt returns or raises")


async def _transact(ctx: Context, operation: str, arguments: Mapping[str, Any], act: Act) -> Written:
    async with ctx.db.write() as session:
        if ctx.idempotency_key is None:
            return await act(session)
        fingerprint = sha256(orjson.dumps([operation, arguments], option=orjson.OPT_SORT_KEYS)).digest()
        return await _once(ctx, session, operation, fingerprint, act)


async def _once(ctx: Context, session: WriteSession, operation: str, fingerprint: bytes, act: Act) -> Written:
    key = ctx.idempotency_key or ""
    await _hold(session, ctx.viewer.client_id, key)
    kept = await session.get(IdempotencyKey, (ctx.viewer.client_id, key))
    if kept is not None and kept.created_at > ctx.clock() - KEPT:
        return _replay(kept, fingerprint)
    if kept is not None:
        await session.delete(kept)
        await session.flush()
    written = await act(session)
    outcome = {"body": written.body, "created": written.created}
    session.add(
        IdempotencyKey(
            client_id=ctx.viewer.client_id,
            key=key,
            operation=operation,
            fingerprint=fingerprint,
            outcome=outcome,
            created_at=ctx.clock(),
        )
    )
    return written


async def _hold(session: WriteSession, client_id: str, key: str) -> None:
    """Holds the key until the transaction ends; a second request with it is told at once, not made to wait."""
    digest = blake2b(f"{client_id} {key}".encode(), digest_size=8).digest()
    number = int.from_bytes(digest, "big", signed=True)
    statement = text("select pg_try_advisory_xact_lock(:number)").bindparams(number=number)
    if not await session.scalar(statement):
        message = "A request with this idempotency key is still running; try again when it has ended."
        raise Conflict(message, code="idempotency_in_progress")


def _replay(kept: IdempotencyKey, fingerprint: bytes) -> Written:
    if not kept.fingerprint:
        raise Conflict("What was written with this idempotency key has been erased since.", code="erased")
    if kept.fingerprint != fingerprint:
        message = f"this key was used before for another request ({kept.operation}); use a new key for a new request"
        raise Invalid(Fault("", message, "idempotency_key_reused"))
    return Written(kept.outcome["body"], kept.outcome["created"], replayed=True)
