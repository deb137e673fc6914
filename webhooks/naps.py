"""Waiting for word, but not for too long."""

import asyncio
from contextlib import suppress


async def nap(event: asyncio.Event, seconds: float) -> None:
    """Returns when the event is set, or after so many seconds.

    Not by `asyncio.wait_for`: before Python 3.12 it forgets that it was cancelled when the event is set in the same
    moment (python/cpython#86296), and a loop that was to end goes on for good.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
