"""Webhooks in `/metrics`: what waits, and what the workers have counted, wherever they run."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from db.sessions import Database
from webhooks.totals import LATENCY_BUCKETS

_OF_STATUS: Final = """
select '{0}' as status, count(*) as n, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as age
from deliveries where status = '{0}' {1}"""
_BACKLOG: Final = " union all ".join(
    [_OF_STATUS.format(status, "") for status in ("waiting", "leased", "queued")]
    + [_OF_STATUS.format("blocked", "and ordered and finished_at is null")]
)
_WORKERS: Final = "select totals, seen_at > now() - interval '1 minute' as alive from delivery_workers"


class Told(Collector):
    """Metrics that are known already."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """As Prometheus' registry asks for them."""
        return self._metrics


async def exposition(db: Database) -> bytes:
    """In Prometheus' text format."""
    backlog = await db.fetch(_BACKLOG)
    workers = await db.fetch(_WORKERS)
    registry = CollectorRegistry()
    registry.register(Told([*_backlog(backlog), *_counted([row["totals"] for row in workers]), _alive(workers)]))
    return generate_latest(registry)


def _backlog(rows: list[Any]) -> list[Metric]:
    count = GaugeMetricFamily("fshnista_webhook_backlog", "Deliveries that are not through.", labels=["status"])
    age = GaugeMetricFamily(
        "fshnista_webhook_oldest_seconds", "Age of the oldest delivery that is not through.", labels=["status"]
    )
    for row in rows:
        count.add_metric([row["status"]], row["n"])
        age.add_metric([row["status"]], row["age"])
    return [count, age]


def _counted(totals: list[dict[str, Any]]) -> list[Metric]:
    outcomes: Counter[str] = Counter()
    buckets = [0] * (len(LATENCY_BUCKETS) + 1)
    for one in totals:
        outcomes.update(one.get("attempts", {}))
        buckets = [sum(pair) for pair in zip(buckets, one.get("latency", buckets), strict=True)]
    attempts = CounterMetricFamily("fshnista_webhook_attempts", "Attempts by their outcome.", labels=["outcome"])
    for outcome, n in sorted(outcomes.items()):
        attempts.add_metric([outcome], n)
    events = CounterMetricFamily(
        "fshnista_webhook_events", "Events dispatched.", value=sum(one.get("events", 0) for one in totals)
    )
    latency = HistogramMetricFamily(
        "fshnista_webhook_first_attempt_seconds", "From the commit of an event to the first attempt at a delivery."
    )
    bounds = [*map(str, LATENCY_BUCKETS), "+Inf"]
    upto = [sum(buckets[: n + 1]) for n in range(len(buckets))]
    latency.add_metric([], list(zip(bounds, upto, strict=True)), sum(one.get("latency_sum", 0.0) for one in totals))
    return [attempts, events, latency]


def _alive(workers: list[Any]) -> Metric:
    alive = sum(row["alive"] for row in workers)
    return GaugeMetricFamily("fshnista_webhook_workers", "Workers whose heart beats.", value=alive)
