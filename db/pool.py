"""A pool of connections for reads, with nothing between a request and its statement.

asyncpg's own pool wraps every use in a task and a reset; reads need neither. A connection that was closed under us is
replaced when it is next taken.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

Connect = Callable[[], Awaitable[asyncpg.Connection]]


class ReadPool:
    """Up to `size` connections; whoever finds none free waits its turn."""

    def __init__(self, connect: Connect, size: int) -> None:
        self._connect, self._size = connect, size
        self._idle: list[asyncpg.Connection] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._taken = 0
        self._closed = False

    async def take(self) -> asyncpg.Connection:
        """A connection of one's own until it is given back."""
        while self._taken >= self._size:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._pass_on(turn)
                raise
        self._taken += 1
        try:
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    return connection
            return await self._connect()
        except BaseException:
            self._release()
            raise

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for a block, for what needs more than one statement on it."""
        connection = await self.take()
        try:
            yield connection
        except asyncpg.PostgresError:
            self.give(connection)
            raise
        except BaseException:
            self.drop(connection)  # cancelled, perhaps in the middle of a statement
            raise
        self.give(connection)

    def give(self, connection: asyncpg.Connection) -> None:
        """Hands a connection back for the next one."""
        if self._closed or connection.is_closed() or connection.is_in_transaction():
            connection.terminate()
        else:
            self._idle.append(connection)
        self._release()

    def drop(self, connection: asyncpg.Connection) -> None:
        """Ends a connection in an unknown state."""
        connection.terminate()
        self._release()

    async def close(self) -> None:
        """Closes what is idle; what is still in use ends when it is given back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()

    def _release(self) -> None:
        self._taken -= 1
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                break

    def _pass_on(self, turn: asyncio.Future[None]) -> None:
        """A waiter that gave up after its turn had come lets the next one have it."""
        if turn.done() and not turn.cancelled() and self._waiting:
            nxt = self._waiting.popleft()
            if not nxt.done():
                nxt.set_result(None)
