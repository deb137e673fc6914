"""Limits shared by every process and host: one Valkey decides, by its own clock, in one round trip.

What Valkey has admitted is lost to us when it goes, and to itself when it starts anew. So that no window holds more than the quota
even then, nothing is admitted for one window: by a process that cannot reach it, from when it noticed; by a Valkey that is found
empty by a process which knew it before, from when it began.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from auth.limits import POLICIES, SECOND, UNLIMITED, Admission, Policy, ProcessLimiter, admitted, held, refusal

# KEYS: the client's times of admission in microseconds, newest first, never longer than the quota; when this Valkey was first asked;
# whether it must keep quiet. ARGV: quota, window, since when the asking process has known it (empty: it never did).
_ADMIT: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local quota, window = tonumber(ARGV[1]), tonumber(ARGV[2]) * 1000000
local began = redis.call('GET', KEYS[2])
if not began then
  began = string.format('%.0f', now)
  redis.call('SET', KEYS[2], began)
end
if ARGV[3] ~= '' and ARGV[3] ~= began and now < began + window then
  redis.call('SET', KEYS[3], '1', 'PX', math.ceil((began + window - now) / 1000))
end
local quiet = redis.call('PTTL', KEYS[3])
if quiet > 0 then return {0, 0, quiet * 1000, began} end
local newest = tonumber(redis.call('LINDEX', KEYS[1], 0) or 0)
if newest > now then now = newest end
local oldest = tonumber(redis.call('LINDEX', KEYS[1], -1) or now)
while oldest <= now - window do
  redis.call('RPOP', KEYS[1])
  oldest = tonumber(redis.call('LINDEX', KEYS[1], -1) or now)
end
local used = redis.call('LLEN', KEYS[1])
if used >= quota then
  oldest = tonumber(redis.call('LINDEX', KEYS[1], quota - 1))
  return {0, 0, oldest + window - now, began}
end
redis.call('LPUSH', KEYS[1], string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 1000 + 1000)
return {1, quota - used - 1, oldest + window - now, began}
"""
# KEYS: the processes by when they last said so. ARGV: this process, and for how many seconds it counts.
_BEAT: Final = """
local now = redis.call('TIME')[1]
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
return redis.call('ZCARD', KEYS[1])
"""
RETRY_SECONDS: Final = 1.0
SETTLING_SECONDS: Final = 5.0
BEAT_SECONDS: Final = 20.0
COUNTED_SECONDS: Final = 120


class ValkeyLimiter:
    """Exact over all processes. While Valkey is away each process, after a quiet window, holds its clients to `1/shares` of the quota.

    `shares`: how many processes there may be; as many as were seen in Valkey, where that is more. For a window after Valkey has
    come back both must agree, since it knows nothing of what was admitted without it. `exact` False: no quiet window, for counts
    of which a few more do no harm.
    """

    def __init__(
        self, url: str, *, policies: dict[str, Policy] | None = None, shares: int = 4, timeout: float = 2.0,
        exact: bool = True, clock: Callable[[], float] = monotonic,
    ) -> None:  # fmt: skip
        self._policies = POLICIES if policies is None else policies
        self._valkey = Valkey.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout)
        self._script = self._valkey.register_script(_ADMIT)
        self._beat_script = self._valkey.register_script(_BEAT)
        self._shares, self._exact, self._clock = shares, exact, clock
        self._fallback = ProcessLimiter(self._shared_out(), clock=lambda: int(clock() * SECOND))
        self._window = max(policy.window for policy in self._policies.values())
        self._process, self._began = uuid4().hex, ""
        self._away_until = self._both_until = self._quiet_until = self._beat_at = 0.0
        self.degraded = False

    def _shared_out(self) -> dict[str, Policy]:
        return {tier: _share(policy, self._shares) for tier, policy in self._policies.items()}

    def admit_now(self, client_id: str, tier: str) -> Admission | None:
        """At once only for a tier without limit."""
        return None if tier in self._policies else UNLIMITED

    async def admit(self, client_id: str, tier: str) -> Admission:
        """Counts one request, or refuses it."""
        policy = self._policies.get(tier)
        if policy is None:
            return UNLIMITED
        if self._clock() < self._away_until:
            return await self._alone(client_id, tier, policy)
        own = await self._fallback.admit(client_id, tier) if self._clock() < self._both_until else None
        if own is not None and not own.allowed:
            return own
        admission = await self._shared_twice(client_id, policy)
        if admission is None:
            self._lost()
            return await self._alone(client_id, tier, policy)
        if own is None and admission.allowed:
            self._fallback.note(client_id, tier)
        return admission

    async def _alone(self, client_id: str, tier: str, policy: Policy) -> Admission:
        wait = self._quiet_until - self._clock()
        return refusal(policy, wait) if wait > 0 else await self._fallback.admit(client_id, tier)

    def _lost(self) -> None:
        now = self._clock()
        if not self.degraded and self._exact:
            self._quiet_until = now + self._window
        self.degraded, self._away_until = True, now + RETRY_SECONDS

    async def _shared_twice(self, client_id: str, policy: Policy) -> Admission | None:
        """None where Valkey is away. A connection may have been closed while it was idle: that is seen by trying once more."""
        for _ in range(2):
            with suppress(ValkeyError, OSError, TimeoutError):
                return await self._shared(client_id, policy)
        return None

    async def _shared(self, client_id: str, policy: Policy) -> Admission:
        allowed, remaining, seconds = await self._ask(client_id, policy)
        if not allowed and held(seconds):
            await asyncio.sleep(held(seconds))
            allowed, remaining, seconds = await self._ask(client_id, policy)
        return admitted(policy, remaining, seconds) if allowed else refusal(policy, seconds)

    async def _ask(self, client_id: str, policy: Policy) -> tuple[bool, int, float]:
        if self._exact and self._clock() >= self._beat_at:
            await self._beat()
        keys = [f"fshnista:limit:{client_id}", "fshnista:limits:began", "fshnista:limits:quiet"]
        known = self._began if self._exact else ""
        answer: list[Any] = await self._script(keys=keys, args=[policy.quota, policy.window, known])
        self._began = answer[3].decode()
        if self.degraded:
            self.degraded = False
            if self._clock() >= self._quiet_until:  # else nothing was admitted without it
                self._both_until = self._clock() + policy.window + SETTLING_SECONDS
        return answer[0] == 1, answer[1], answer[2] / 1_000_000

    async def _beat(self) -> None:
        """Says that this process is there, and learns how many are: by that the quota is shared out while Valkey is away."""
        self._beat_at = self._clock() + BEAT_SECONDS
        seen = await self._beat_script(keys=["fshnista:processes"], args=[self._process, COUNTED_SECONDS])
        if seen > self._shares:
            self._shares = seen
            self._fallback.restrict(self._shared_out())

    async def ping(self) -> bool:
        """Whether Valkey answers."""
        try:
            await self._valkey.ping()
        except (ValkeyError, OSError, TimeoutError):
            self._lost()
            return False
        return True

    async def close(self) -> None:
        """Lets connections go."""
        await self._valkey.aclose()


def _share(policy: Policy, shares: int) -> Policy:
    return Policy(policy.name, max(1, policy.quota // shares), policy.window)
