"""A database whose answers come back in rounds, so that what a request asks does not depend on how quick the machine is."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

from db.sessions import Database

# More turns of the loop than any chain of callbacks between an answer and the lookups that it leads to.
TURNS = 200
_Asked = tuple[str, Sequence[Any], "asyncio.Future[list[asyncpg.Record]]"]


class InStep(Database):
    """Reads wait until nobody has anything left to ask; all of them are then answered at one moment.

    Lookups of one kind become one statement where they are made in one turn of the loop. Which turn that is depends on the order in
    which PostgreSQL's earlier answers arrive, on a busy machine any order: without this, the count of statements is a matter of luck.
    """

    def __init__(self, like: Database) -> None:
        super().__init__(like.pool, like.engine)
        self._asked: list[_Asked] = []
        self._conductor: asyncio.Task[None] | None = None

    async def fetch(self, sql: str, arguments: Sequence[Any] = ()) -> list[asyncpg.Record]:
        """The rows of one read, with those of everybody else's."""
        answer: asyncio.Future[list[asyncpg.Record]] = asyncio.get_running_loop().create_future()
        self._asked.append((sql, arguments, answer))
        if self._conductor is None:
            self._conductor = asyncio.create_task(self._conduct())
        return await answer

    async def _conduct(self) -> None:
        await _until_all_have_asked()
        while self._asked:
            asked, self._asked = self._asked, []
            reads = (super(InStep, self).fetch(sql, arguments) for sql, arguments, _ in asked)
            answers = await asyncio.gather(*reads, return_exceptions=True)
            for (_, _, waiting), answer in zip(asked, answers, strict=True):
                if isinstance(answer, BaseException):
                    waiting.set_exception(answer)
                else:
                    waiting.set_result(answer)
            await _until_all_have_asked()
        self._conductor = None


async def _until_all_have_asked() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
