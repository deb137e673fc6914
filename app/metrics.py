"""What `/metrics` tells, in Prometheus' text format. One registry a process, made with the application.

Requests are counted in plain numbers and become metric families only when somebody asks: a locked counter and a
histogram a request cost more than finding its route.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Counters and histograms of one process. Other parts add collectors of their own to `registry`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.limits_degraded: Callable[[], bool] = lambda: False
        self.streams: Callable[[], int] = lambda: 0
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds: dict[str, list[float]] = {}
        self._executions: Counter[tuple[str, str]] = Counter()
        self.registry.register(_Collector(self))

    def request(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Records one answered request; `seconds` None: it took as long as its client wished."""
        self._requests[method, route, status] += 1
        if seconds is None:
            return
        times = self._seconds.get(route)
        if times is None:
            times = self._seconds[route] = [0.0] * (len(BUCKETS) + 2)
        times[bisect_left(BUCKETS, seconds)] += 1
        times[-1] += seconds

    def execution(self, how: str, reason: str = "") -> None:
        """Records how a GraphQL operation ran: planned, or by the ordinary executor and why."""
        self._executions[how, reason] += 1

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry)

    def families(self) -> Iterator[Metric]:
        """What was counted, as Prometheus tells it."""
        requests = CounterMetricFamily("fshnista_requests", "Requests answered.", labels=("method", "route", "status"))
        for (method, route, status), count in self._requests.items():
            requests.add_metric((method, route, str(status)), count)
        yield requests
        seconds = HistogramMetricFamily("fshnista_request_seconds", "Time to answer.", labels=("route",))
        for route, times in self._seconds.items():
            seconds.add_metric((route,), list(_cumulative(times[:-1])), times[-1])
        yield seconds
        runs = CounterMetricFamily(
            "fshnista_graphql_executions", "GraphQL operations by how they ran.", labels=("how", "reason")
        )
        for (how, reason), count in self._executions.items():
            runs.add_metric((how, reason), count)
        yield runs
        yield GaugeMetricFamily("fshnista_streams", "Event streams and sockets open now.", value=self.streams())
        help_ = "1 while Valkey is away and each process keeps to its share of the limits."
        yield GaugeMetricFamily("fshnista_limits_degraded", help_, value=float(self.limits_degraded()))


def _cumulative(counts: Iterable[float]) -> Iterator[tuple[str, float]]:
    total = 0.0
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
        total += count
        yield bound, total


class _Collector:
    """Hands a process's numbers to the registry."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Called for each exposition."""
        return self._metrics.families()
