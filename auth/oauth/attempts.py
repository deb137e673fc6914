"""How often passwords and client secrets may be tried: by address, and by whom they are tried for."""

from time import monotonic
from typing import Final

from starlette.requests import Request

from auth.limits import Limiter, Policy
from auth.secrets import Hasher

POLICIES: Final = {
    "account": Policy("account", 10, 60),
    "address": Policy("address", 60, 60),
    # Of wrong client credentials; right ones are never counted.
    "client": Policy("client", 300, 60),
    "clients": Policy("clients", 1000, 60),
}
_MOST_LOCKED: Final = 10_000


class Attempts:
    """Counts attempts to sign in, and wrong client credentials, over all processes where the limiter does.

    Right credentials cost no round trip: who is locked out is known here, since a process that meets a wrong one is told whether
    it was one too many. Others hear of it with the next wrong one that they meet. Names are hashed: they may be addresses of mail.
    """

    def __init__(self, limiter: Limiter, hasher: Hasher) -> None:
        self._limiter, self._hasher = limiter, hasher
        self._locked: dict[str, float] = {}

    async def allows(self, request: Request, email: str) -> bool:
        """Whether this address may try again for this account."""
        return await self.allows_address(request) and await self._counts("account", email.lower()[:254]) == 0

    async def allows_address(self, request: Request) -> bool:
        """Whether this address may try again at all."""
        return await self._counts("address", request.client.host if request.client else "") == 0

    def failures(self, address: str, client_id: str) -> int:
        """Seconds until wrong credentials of this client from this address are looked at again; 0: at once."""
        now = monotonic()
        waits = [self._locked.get(name, now) - now for name in (_of_client(address, client_id), address)]
        return max(0, *(int(wait) + 1 for wait in waits if wait > 0), 0)

    async def note_failure(self, address: str, client_id: str) -> None:
        """Wrong credentials were sent."""
        for policy, name in (("client", _of_client(address, client_id)), ("clients", address)):
            wait = await self._counts(policy, name)
            if wait:
                self._lock(name, wait)

    def _lock(self, name: str, seconds: int) -> None:
        now = monotonic()
        if len(self._locked) >= _MOST_LOCKED:
            self._locked = {kept: until for kept, until in self._locked.items() if until > now}
        self._locked[name] = now + seconds

    async def _counts(self, policy: str, name: str) -> int:
        """Counts one; the seconds to wait where it was too many."""
        key = f"{policy}:{self._hasher.hash(name).hex()}"
        admission = self._limiter.admit_now(key, policy)
        if admission is None:
            admission = await self._limiter.admit(key, policy)
        return admission.retry_after

    async def close(self) -> None:
        """Lets connections go."""
        await self._limiter.close()


def _of_client(address: str, client_id: str) -> str:
    return f"{address} {client_id[:64]}"
