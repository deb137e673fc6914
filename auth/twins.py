"""What a creator does with the digital twin alone, whatever partners there are: look at it, have a copy of it, erase it."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy import text as sql

from auth.audit import record
from db.bodies.twins import TwinBody
from db.relations import FIT_PREFERENCE, KNOWN_SIZE, MEASUREMENT, TWIN, TWIN_CONSENT
from db.rows import hydrate_all
from db.rules import Everyone, Sight
from db.sessions import Database
from db.statements import by_key

_PARTS: Final = (TWIN_CONSENT, MEASUREMENT, FIT_PREFERENCE, KNOWN_SIZE)
_HELD: Final = """
select (select count(*) from twin_measurements m where m.user_id = t.id) as measurements,
  (select array_agg(distinct c.name order by c.name) from twin_consents n join clients c on c.id = n.client_id
    where n.user_id = t.id and n.withdrawn_at is null) as partners
from twins t where t.id = $1
"""
# What the erased answers of earlier writes leave: the key alone, so that a late repetition brings nothing back.
_FORGET_ANSWERS: Final = sql(
    "update idempotency_keys k set fingerprint = '' where k.operation like 'twin.%' and k.operation <> 'twin.erase' "
    "and k.outcome -> 'body' ->> 'id' = :id and k.client_id in (select client_id from twin_consents where user_id = :id)"
)


def erase(connection: Connection, user_id: str) -> bool:
    """Deletes a twin with all that hangs on it. False where there is none.

    The row is locked first: what another transaction is writing is then there to be deleted.
    """
    given = {"id": user_id}
    if connection.execute(sql("select id from twins where id = :id for update"), given).first() is None:
        return False
    connection.execute(_FORGET_ANSWERS, given)
    connection.execute(sql("delete from twins where id = :id"), given)
    record(connection, user_id, actor=user_id, action="twin.erased", subject=user_id)
    return True


@dataclass(frozen=True)
class Held:
    """What a page says of a twin: how much is kept, and which partners may use it."""

    measurements: int
    partners: list[str]


class Twins:
    """For the creator's own page."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(self, user_id: str) -> Held | None:
        """What is kept of this creator, or None."""
        rows = await self._db.fetch(_HELD, (user_id,))
        return Held(rows[0]["measurements"], list(rows[0]["partners"] or ())) if rows else None

    async def copy(self, user_id: str) -> dict[str, Any] | None:
        """Everything that is kept, with the clients of all consents; None where there is no twin."""
        found = await self._rows(TWIN, "id", user_id)
        if not found:
            return None
        parts: Any = [await self._rows(entity, "user_id", user_id) for entity in _PARTS]
        return TwinBody.of(found[0], None, *parts).as_json()

    async def erase(self, user_id: str) -> bool:
        """Deletes it. False where there is none."""
        async with self._db.write() as session:
            return await (await session.connection()).run_sync(erase, user_id)

    async def _rows(self, entity: Any, column: str, user_id: str) -> list[Any]:
        statement = by_key(entity, column, Sight(), Everyone())
        rows = hydrate_all(entity.table, await self._db.fetch(statement.sql, [[user_id]]))
        return sorted(rows, key=lambda row: str(row.id))
