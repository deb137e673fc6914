"""How many requests a client may make. Exact: never more than the quota in any window, whoever counts.

The headers follow draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy: "default";q=100;w=60` says the rule,
`RateLimit: "default";r=42;t=7` what remains and the seconds until more does.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic
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


def admission(policy: Policy, *, allowed: bool, remaining: int, seconds: float) -> Admission:
    """What the client is told. `seconds`: until the oldest counted request leaves the window."""
    wait = max(1, ceil(seconds))
    told = b'"%b";r=%d;t=%d' % (policy.name.encode(), remaining, wait)
    return Admission(allowed, policy.header, told, 0 if allowed else wait)


class Limiter(Protocol):
    """Counts requests by client."""

    def admit_now(self, client_id: str, tier: str) -> Admission | None:
        """The admission at once, or None where `admit` must be awaited."""

    async def admit(self, client_id: str, tier: str) -> Admission:
        """Counts one request of this client, or refuses it (a refused one does not count)."""

    async def close(self) -> None:
        """Lets connections go."""


class _Window:
    """One client's requests of the last window: when each came, oldest first."""

    __slots__ = ("header", "name", "policy", "quota", "times", "window")

    def __init__(self, policy: Policy) -> None:
        self.policy, self.header = policy, policy.header
        self.quota, self.window = policy.quota, float(policy.window)
        self.name = f'"{policy.name}";'.encode()
        self.times: deque[float] = deque()

    def admit(self, now: float) -> Admission:
        times, quota = self.times, self.quota
        left = now - self.window
        while times and times[0] <= left:
            times.popleft()
        used = len(times)
        if used < quota:
            times.append(now)
            return Admission(
                True, self.header, b"%br=%d;t=%d" % (self.name, quota - used - 1, ceil(times[0] - left)), 0
            )
        wait = ceil(times[used - quota] - left)
        return Admission(False, self.header, b"%br=0;t=%d" % (self.name, wait), wait)


class ProcessLimiter:
    """Exact within one process: a log of the times of admission for each client, never longer than its quota."""

    def __init__(
        self, policies: dict[str, Policy] | None = None, *, clock: Callable[[], float] = monotonic, keep: int = 10_000
    ) -> None:
        self._policies = POLICIES if policies is None else policies
        self._windows: dict[str, _Window] = {}
        self._clock = clock
        self._keep = keep

    def admit_now(self, client_id: str, tier: str) -> Admission:
        """Counts one request, or refuses it."""
        policy = self._policies.get(tier)
        if policy is None:
            return UNLIMITED
        window = self._windows.get(client_id)
        if window is None or window.policy is not policy:
            window = self._open(client_id, policy)
        return window.admit(self._clock())

    async def admit(self, client_id: str, tier: str) -> Admission:
        """The same."""
        return self.admit_now(client_id, tier)

    async def close(self) -> None:
        """Nothing is held."""

    def _open(self, client_id: str, policy: Policy) -> _Window:
        if len(self._windows) >= self._keep:
            idle = self._clock() - max(known.window for known in self._policies.values())
            self._windows = {id_: one for id_, one in self._windows.items() if one.times and one.times[-1] > idle}
            self._keep = max(self._keep, 2 * len(self._windows))
        window = _Window(policy)
        before = self._windows.get(client_id)
        if before is not None:  # the tier changed: what was used stays used
            window.times.extend(before.times)
        self._windows[client_id] = window
        return window
