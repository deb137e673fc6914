"""What `/metrics` tells, in Prometheus' text format. One registry a process, made with the application."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Counters and histograms of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("fshnista_requests", "Requests answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            "fshnista_request_seconds", "Time to answer.", ("route",), registry=self.registry, buckets=BUCKETS
        )
        self._plans = Counter(
            "fshnista_graphql_executions", "GraphQL operations by how they ran.", ("how", "reason"),
            registry=self.registry,
        )  # fmt: skip
        self._counted: dict[tuple[str, str, int], Counter] = {}
        self._timed: dict[str, Histogram] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Records one answered request. The children are kept: looking them up by label costs more than counting."""
        key = (method, route, status)
        counter = self._counted.get(key)
        if counter is None:
            counter = self._counted[key] = self._requests.labels(method, route, str(status))
        counter.inc()
        histogram = self._timed.get(route)
        if histogram is None:
            histogram = self._timed[route] = self._seconds.labels(route)
        histogram.observe(seconds)

    def execution(self, how: str, reason: str = "") -> None:
        """Records how a GraphQL operation ran: planned, or by the ordinary executor and why."""
        self._plans.labels(how, reason).inc()

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry)
