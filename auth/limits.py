"""How many requests a client may make. Exact: never more than the quota in any window, whoever counts.

The headers follow draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy: "default";q=100;w=60` says the rule,
`RateLimit: "default";r=42;t=7` what remains and the seconds until more does.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic_ns
from typing import Final, NamedTuple, Protocol


@dataclass(frozen=True)
class Policy:
    """At most `quota` requests in any `window` seconds."""

    name: str
    quota: int
    window: int

    @property
    def header(self) -> bytes:
        """The value of `RateLimit-Policy`."""
        return f'"{self.name}";q={self.quota};w={self.window}'.encode()


POLICIES: Final = {"default": Policy("default", 100, 60), "burst": Policy("burst", 1000, 60)}


class Admission(NamedTuple):
    """What came of one request. Empty headers: the client has no limit. `retry_after`: whole seconds, 0 where allowed."""

    allowed: bool
    policy_header: bytes
    limit_header: bytes
    retry_after: int


UNLIMITED: Final = Admission(True, b"", b"", 0)
SECOND: Final = 1_000_000_000
LONGEST_HOLD: Final = 0.41


def admitted(policy: Policy, remaining: int, seconds: float) -> Admission:
    """`seconds`: until the oldest counted request leaves the window."""
    return Admission(True, policy.header, b'"%b";r=%d;t=%d' % (policy.name.encode(), remaining, ceil(seconds)), 0)


def refusal(policy: Policy, seconds: float) -> Admission:
    """`seconds`: until the next request passes; told in whole ones, rounded up."""
    wait = max(1, ceil(seconds))
    return Admission(False, policy.header, b'"%b";r=0;t=%d' % (policy.name.encode(), wait), wait)


def held(seconds: float) -> float:
    """How long to hold a refusal before it is sent. Retry-After counts whole seconds: rounding 59.1 up to 60 would cost an
    obedient client more than a hundredth of its quota, so it is told 59 a tenth of a second later."""
    over = seconds % 1
    return over if over <= LONGEST_HOLD else 0.0


class Limiter(Protocol):
    """Counts requests by client. `degraded`: who should count for all processes is away, and each keeps to its share."""

    degraded: bool

    def admit_now(self, client_id: str, tier: str) -> Admission | None:
        """The admission at once, or None where `admit` must be awaited."""

    async def admit(self, client_id: str, tier: str) -> Admission:
        """Counts one request of this client, or refuses it (a refused one does not count)."""

    async def ping(self) -> bool:
        """Whether the one that counts for all processes answers; true where each process counts for itself."""

    async def close(self) -> None:
        """Lets connections go."""


class _Window:
    """One client's requests of the last window: when each came in nanoseconds, oldest first."""

    __slots__ = ("header", "name", "policy", "quota", "times", "window")

    def __init__(self, policy: Policy) -> None:
        self.policy, self.header = policy, policy.header
        self.quota, self.window = policy.quota, policy.window * SECOND
        self.name = f'"{policy.name}";'.encode()
        self.times: deque[int] = deque()

    def admit(self, now: int) -> Admission | int:
        """The admission, or the nanoseconds until the next one."""
        times, quota = self.times, self.quota
        left = now - self.window
        while times and times[0] <= left:
            times.popleft()
        used = len(times)
        if used >= quota:
            return times[used - quota] - left
        times.append(now)
        seconds = -((left - times[0]) // SECOND)
        return Admission(True, self.header, b"%br=%d;t=%d" % (self.name, quota - used - 1, seconds), 0)

    def note(self, now: int) -> None:
        """Counts a request that another authority admitted."""
        left = now - self.window
        while self.times and self.times[0] <= left:
            self.times.popleft()
        self.times.append(now)


class ProcessLimiter:
    """Exact within one process: a log of the times of admission for each client, never longer than its quota."""

    degraded = False

    def __init__(
        self,
        policies: dict[str, Policy] | None = None,
        *,
        clock: Callable[[], int] = monotonic_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        keep: int = 10_000,
    ) -> None:
        self._policies = POLICIES if policies is None else policies
        self._windows: dict[str, _Window] = {}
        self._clock, self._sleep = clock, sleep
        self._keep = keep

    def admit_now(self, client_id: str, tier: str) -> Admission | None:
        """Counts one request, or refuses it; None where a refusal is to be held for a moment."""
        policy = self._policies.get(tier)
        if policy is None:
            return UNLIMITED
        window = self._windows.get(client_id)
        if window is None or window.policy is not policy:
            window = self._open(client_id, policy)
        outcome = window.admit(self._clock())
        if isinstance(outcome, int):
            return None if held(outcome / SECOND) else refusal(policy, outcome / SECOND)
        return outcome

    async def admit(self, client_id: str, tier: str) -> Admission:
        """The same, having held it."""
        policy = self._policies.get(tier)
        if policy is None:
            return UNLIMITED
        outcome = self._open(client_id, policy).admit(self._clock())
        if isinstance(outcome, int):
            await self._sleep(held(outcome / SECOND))
            outcome = self._open(client_id, policy).admit(self._clock())
        return refusal(policy, outcome / SECOND) if isinstance(outcome, int) else outcome

    async def ping(self) -> bool:
        """Nobody else is asked."""
        return True

    async def close(self) -> None:
        """Nothing is held."""

    def restrict(self, policies: dict[str, Policy]) -> None:
        """Other policies from now on; what was used stays used."""
        self._policies = policies

    def note(self, client_id: str, tier: str) -> None:
        """Counts a request that another authority admitted."""
        self._open(client_id, self._policies[tier]).note(self._clock())

    def _open(self, client_id: str, policy: Policy) -> _Window:
        before = self._windows.get(client_id)
        if before is not None and before.policy is policy:
            return before
        if len(self._windows) >= self._keep:
            self._forget_idle()
        window = self._windows[client_id] = _Window(policy)
        if before is not None:  # the tier changed: what was used stays used
            window.times.extend(before.times)
        return window

    def _forget_idle(self) -> None:
        idle = self._clock() - SECOND * max(known.window for known in self._policies.values())
        self._windows = {id_: one for id_, one in self._windows.items() if one.times and one.times[-1] > idle}
        self._keep = max(self._keep, 2 * len(self._windows))
