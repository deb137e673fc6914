"""When to try again, when to give up, what an answer means. Pure rules; no clock and no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random
from typing import Final

JITTER: Final = 0.2
LONGEST_WAIT: Final = 36_000.0
_GONE: Final = 410
_THROTTLED: Final = frozenset({429, 502, 504})


@dataclass(frozen=True)
class Schedule:
    """The seconds to wait before each attempt; the first is for the first attempt."""

    seconds: tuple[float, ...] = (0, 5, 300, 1800, 7200, 18000, 36000, 36000)

    def wait(self, tried: int, retry_after: float | None, random: Random) -> float | None:
        """Seconds until the next attempt after `tried` of them, or None where it is given up.

        Spread by up to a fifth; never sooner than the receiver asked, though it can ask for ten hours at most.
        """
        if tried >= len(self.seconds):
            return None
        slot = self.seconds[tried] * random.uniform(1 - JITTER, 1 + JITTER)
        return max(slot, min(retry_after or 0.0, LONGEST_WAIT))

    @property
    def longest(self) -> float:
        """The longest of the waits."""
        return max(self.seconds)


@dataclass(frozen=True)
class Patience:
    """How long an endpoint may fail: its owner is told after each of `notices`, and it is disabled after `disable`."""

    notices: tuple[timedelta, ...] = (timedelta(days=1), timedelta(days=3), timedelta(days=4))
    disable: timedelta = timedelta(days=5)


def outcome_of(status: int) -> str:
    """What an HTTP status means for a delivery. A redirect is not followed and not accepted."""
    if 200 <= status < 300:
        return "delivered"
    return "gone" if status == _GONE else "refused"


def throttles(status: int | None) -> bool:
    """Whether the receiver, or what stands before it, says it is too much."""
    return status in _THROTTLED


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that a `Retry-After` asks for (RFC 9110 section 10.2.3: seconds or a date), or None."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds()) if value else None
    except (ValueError, TypeError):
        return None


def parse_schedule(text: str) -> Schedule:
    """`0,5,300` as a schedule. ValueError where it is none."""
    seconds: Sequence[float] = [float(part) for part in text.split(",")]
    if not seconds or any(not 0 <= second <= 864_000 for second in seconds):
        raise ValueError("seconds between 0 and 864000, separated by commas")
    return Schedule(tuple(seconds))
