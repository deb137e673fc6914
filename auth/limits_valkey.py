"""Limits shared by every process and host: one Valkey decides, by its own clock, in one round trip."""

import asyncio
from time import monotonic
from typing import Final

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from auth.limits import POLICIES, UNLIMITED, Admission, Policy, ProcessLimiter, admitted, held, refusal

# A list of the times of admission in microseconds, newest first, never longer than the quota.
_ADMIT: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local quota, window = tonumber(ARGV[1]), tonumber(ARGV[2]) * 1000000
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
  return {0, 0, oldest + window - now}
end
redis.call('LPUSH', KEYS[1], string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 1000 + 1000)
return {1, quota - used - 1, oldest + window - now}
"""
RETRY_SECONDS: Final = 1.0
SETTLING_SECONDS: Final = 5.0


class ValkeyLimiter:
    """Exact over all processes. While Valkey is away each process holds its clients to `1/shares` of the quota.

    `shares`: how many processes there may be. What a process admitted by Valkey counts against its share when Valkey goes, and
    for a window after Valkey has come back both must agree, since it knows nothing of what was admitted without it. In the
    minute in which Valkey goes a client may so get at most its quota and the shares of the processes it had not yet used.
    """

    def __init__(
        self, url: str, *, policies: dict[str, Policy] | None = None, shares: int = 4, timeout: float = 2.0
    ) -> None:
        self._policies = POLICIES if policies is None else policies
        self._valkey = Valkey.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout)
        self._script = self._valkey.register_script(_ADMIT)
        self._fallback = ProcessLimiter({tier: _share(policy, shares) for tier, policy in self._policies.items()})
        self._away_until = 0.0
        self._both_until = 0.0
        self.degraded = False

    def admit_now(self, client_id: str, tier: str) -> Admission | None:
        """At once only for a tier without limit."""
        return None if tier in self._policies else UNLIMITED

    async def admit(self, client_id: str, tier: str) -> Admission:
        """Counts one request, or refuses it."""
        policy = self._policies.get(tier)
        if policy is None:
            return UNLIMITED
        if monotonic() < self._away_until:
            return await self._fallback.admit(client_id, tier)
        own = await self._fallback.admit(client_id, tier) if monotonic() < self._both_until else None
        if own is not None and not own.allowed:
            return own
        try:
            admission = await self._shared(client_id, policy)
        except (ValkeyError, OSError, TimeoutError):
            self.degraded, self._away_until = True, monotonic() + RETRY_SECONDS
            return own or await self._fallback.admit(client_id, tier)
        if own is None and admission.allowed:
            self._fallback.note(client_id, tier)
        return admission

    async def _shared(self, client_id: str, policy: Policy) -> Admission:
        allowed, remaining, seconds = await self._ask(client_id, policy)
        if not allowed and held(seconds):
            await asyncio.sleep(held(seconds))
            allowed, remaining, seconds = await self._ask(client_id, policy)
        return admitted(policy, remaining, seconds) if allowed else refusal(policy, seconds)

    async def _ask(self, client_id: str, policy: Policy) -> tuple[bool, int, float]:
        key = f"fshnista:limit:{client_id}"
        answer: list[int] = await self._script(keys=[key], args=[policy.quota, policy.window])
        if self.degraded:
            self._both_until, self.degraded = monotonic() + policy.window + SETTLING_SECONDS, False
        return answer[0] == 1, answer[1], answer[2] / 1_000_000

    async def ping(self) -> bool:
        """Whether Valkey answers."""
        try:
            await self._valkey.ping()
        except (ValkeyError, OSError, TimeoutError):
            self.degraded, self._away_until = True, monotonic() + RETRY_SECONDS
            return False
        return True

    async def close(self) -> None:
        """Lets connections go."""
        await self._valkey.aclose()


def _share(policy: Policy, shares: int) -> Policy:
    return Policy(policy.name, max(1, policy.quota // shares), policy.window)
