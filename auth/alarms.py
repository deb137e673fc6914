"""Entries of the audit log for what others tried in vain. A flood of attempts makes few entries, and nobody can tell by the time of
an answer whether one was written: they are written beside it."""

import asyncio
from time import monotonic
from typing import Any, Final

from auth.audit import record
from db.sessions import Database

AGAIN_SECONDS: Final = 3600.0
MOST_OF_ONE: Final = 10
MOST_KEPT: Final = 10_000


class Alarms:
    """Writes them, from one process: of one subject and kind at most ten in an hour, and the same one once."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._since = monotonic()
        self._told: dict[tuple[str, str], set[str]] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def foreign_address(self, organization_id: str, client_id: str, address: str) -> None:
        """Good credentials of a client came from an address that is not on its list."""
        self._tell(organization_id, client_id, "client.refused", {"why": "address", "address": address})

    def wrong_credentials(self, organization_id: str, client_id: str, address: str) -> None:
        """So many wrong credentials of a client came from an address that no more are looked at for a while."""
        self._tell(organization_id, client_id, "client.locked", {"why": "wrong credentials", "address": address})

    def wrong_passwords(self, user_id: str, address: str) -> None:
        """So many wrong passwords of a creator were tried that no more are looked at for a while."""
        self._tell(user_id, user_id, "sign_in.locked", {"why": "wrong passwords", "address": address})

    def copied_passkey(self, user_id: str, passkey_id: str) -> None:
        """A passkey's counter did not move on: somebody may have a copy of it."""
        self._tell(user_id, passkey_id, "passkey.refused", {"why": "counter"})

    def _tell(self, chain: str, subject: str, action: str, details: dict[str, Any]) -> None:
        if not self._is_new(subject, action, str(details)):
            return
        task = asyncio.create_task(self._write(chain, subject, action, details), name=action)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def settled(self) -> None:
        """Waits for what is being written."""
        await asyncio.gather(*self._writing)

    async def _write(self, chain: str, subject: str, action: str, details: dict[str, Any]) -> None:
        async with self._db.write() as session:
            await (await session.connection()).run_sync(
                lambda connection: record(
                    connection, chain, actor="anybody", action=action, subject=subject, details=details
                )
            )

    def _is_new(self, subject: str, action: str, details: str) -> bool:
        if monotonic() - self._since > AGAIN_SECONDS or len(self._told) >= MOST_KEPT:
            self._since, self._told = monotonic(), {}
        told = self._told.setdefault((subject, action), set())
        if details in told or len(told) >= MOST_OF_ONE:
            return False
        told.add(details)
        return True
