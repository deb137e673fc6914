"""A process that asks for one client's admission as fast as it can: `python -m tests.auth.hammer URL SHARES SECONDS QUOTA WINDOW`.
Writes when each admitted request was admitted, in seconds since 1970."""

import asyncio
import sys
from time import time

from auth.limits import Policy
from auth.limits_valkey import ValkeyLimiter


async def main(url: str, shares: str, seconds: str, quota: str, window: str) -> None:
    """Asks until the time is over."""
    policies = {"default": Policy("default", int(quota), int(window))}
    limiter = ValkeyLimiter(url, policies=policies, shares=int(shares), timeout=1)
    end = time() + float(seconds)
    while time() < end:
        if (await limiter.admit("c", "default")).allowed:
            sys.stdout.write(f"{time()}\n")
        await asyncio.sleep(0.002)
    await limiter.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
