"""When each secret and key was last used: noted in memory, written now and then, so that no request waits for it."""

from typing import Literal

from sqlalchemy import text as sql

from db.sessions import Database

Credential = Literal["client_secrets", "api_keys"]


class Usage:
    """The credentials used since the last write."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._used: set[tuple[Credential, str]] = set()

    def note(self, table: Credential, id: str) -> None:  # noqa: A002 - the column's name
        """This credential is being used."""
        self._used.add((table, id))

    async def write(self) -> None:
        """Writes what was noted; one statement a table."""
        used, self._used = self._used, set()
        for table in {table for table, _ in used}:
            ids = [id_ for kind, id_ in used if kind == table]
            async with self._db.write() as session:
                connection = await session.connection()
                await connection.execute(
                    sql(f"update {table} set last_used_at = now() where id = any(:ids)"), {"ids": ids}
                )
