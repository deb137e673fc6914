"""One lane an endpoint: how much may go to it now. A slow or dead endpoint fills its own lane and no other."""

from asyncio import TimerHandle
from collections import deque
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from webhooks.addresses import RefusedAddress, Rules, Target
from webhooks.parcels import Parcel
from webhooks.signing import SigningKey

ROOM: Final = 500  # parcels of one endpoint in a worker's hands
_BREAKS_AFTER: Final = 10  # failures in a row
_LONGEST_BREAK: Final = 600.0


@dataclass(frozen=True)
class Endpoint:
    """What a worker knows of an endpoint. `stamp` changes whenever its row does."""

    id: str
    owner_id: str
    url: str
    status: str
    events: frozenset[str]
    storefront_ids: frozenset[str]
    ordered: bool
    concurrency: int
    rate_limit: int | None
    failing: bool
    transaction: int
    stamp: object
    keys: tuple[SigningKey, ...] = ()

    def wants(self, event_type: str, storefront_id: str | None) -> bool:
        """Whether it is subscribed to such an event."""
        chosen = not self.storefront_ids or storefront_id in self.storefront_ids
        return self.status != "disabled" and event_type in self.events and chosen

    def target(self, rules: Rules) -> Target | str:
        """Where it leads, or why it is not called."""
        try:
            return rules.target(self.url)
        except RefusedAddress as error:
            return f"the URL {error}"


@dataclass
class Lane:
    """The traffic to one endpoint from this worker.

    `window` is how many may be under way: it halves when the receiver says it is too much and grows back by successes.
    After ten failures in a row nothing is sent for `cooldown` seconds, then one, then longer breaks or all again.
    """

    endpoint: Endpoint
    cooldown: float
    queue: deque[Parcel] = field(default_factory=deque)
    active: int = 0
    window: float = 0.0
    failures: int = 0
    breaks: int = 0
    open_until: float = 0.0
    more_queued: bool = False
    noted_at: float = 0.0
    used_at: float = 0.0
    timer: TimerHandle | None = None
    _tokens: float = 1.0
    _filled: float = field(default_factory=monotonic)

    def __post_init__(self) -> None:
        self.window = float(self.endpoint.concurrency)

    def accepts(self) -> bool:
        """Whether parcels may come to this worker at all."""
        return self.endpoint.status == "enabled" and monotonic() >= self.open_until

    def room(self) -> int:
        """How many more parcels may come; after a break one, to try."""
        if not self.accepts():
            return 0
        most = 1 if self.breaks else ROOM
        return max(0, most - len(self.queue) - self.active)

    def limit(self, share: int) -> int:
        """How many may be under way, where `share` workers send to it."""
        if self.breaks:
            return 1
        return max(1, int(min(self.window, self.endpoint.concurrency)) // share)

    def wait_for_token(self, share: int) -> float:
        """Takes one from the endpoint's rate and returns 0, or returns the seconds until there is one."""
        rate = self.endpoint.rate_limit
        if rate is None:
            return 0.0
        pace = rate / share
        now = monotonic()
        self._tokens = min(max(1.0, pace / 10), self._tokens + (now - self._filled) * pace)
        self._filled = now
        if self._tokens < 1.0:
            return (1.0 - self._tokens) / pace
        self._tokens -= 1.0
        return 0.0

    def succeeded(self) -> None:
        """One was delivered."""
        self.failures = self.breaks = 0
        self.window = min(float(self.endpoint.concurrency), self.window + 1 / max(self.window, 1.0))

    def failed(self, *, throttled: bool) -> bool:
        """One was not. Returns whether a break begins."""
        self.failures += 1
        if throttled:
            self.window = max(1.0, self.window / 2)
        now = monotonic()
        if now < self.open_until or (self.failures < _BREAKS_AFTER and not self.breaks):
            return False  # those that were under way when the break began tell nothing new
        self.open_until = now + min(_LONGEST_BREAK, self.cooldown * 2**self.breaks)
        self.breaks = min(self.breaks + 1, 20)
        return True
