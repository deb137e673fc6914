"""What a worker counts: attempts by outcome, and the time from an event's commit to its first attempt."""

from collections import Counter
from typing import Any, Final

from webhooks.parcels import Tried

# Upper bounds in seconds.
LATENCY_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)


class Totals:
    """Counts since the worker started."""

    def __init__(self) -> None:
        self.attempts: Counter[str] = Counter()
        self.latency: list[int] = [0] * (len(LATENCY_BUCKETS) + 1)
        self.latency_sum = 0.0
        self.events = 0

    def count(self, tried: Tried) -> None:
        """Adds one attempt."""
        self.attempts[tried.outcome] += 1
        if tried.parcel.attempts == 0:
            self._first(max(0.0, tried.started_at.timestamp() - tried.parcel.event_made_at))

    def _first(self, seconds: float) -> None:
        place = next((n for n, bound in enumerate(LATENCY_BUCKETS) if seconds <= bound), len(LATENCY_BUCKETS))
        self.latency[place] += 1
        self.latency_sum += seconds

    def as_json(self) -> dict[str, Any]:
        """For the worker's row."""
        return {
            "attempts": dict(self.attempts),
            "latency": self.latency,
            "latency_sum": round(self.latency_sum, 3),
            "events": self.events,
        }
