"""Recommendations in `/metrics`: what waits to be refreshed, and what the workers have done, wherever they run."""

from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from db.sessions import Database
from webhooks.metrics import Told

# More is not counted: after a large import nobody needs the exact number.
_MOST: Final = 100_000
_SQL: Final = f"""
select (select count(*) from (select from recommendation_tasks limit {_MOST}) t) as tasks,
  coalesce(extract(epoch from now() - (select min(at) from (
    select at from recommendation_tasks order by id limit 100) t)), 0)::float8 as age, r.counted, r.listed
from recommendation_refresh r
"""


async def recommendations(db: Database) -> bytes:
    """In Prometheus' text format."""
    row = (await db.fetch(_SQL))[0]
    backlog = f"Orders, try-ons and products that recommendations do not know yet; {_MOST} stands for more."
    registry = CollectorRegistry()
    registry.register(
        Told(
            [
                GaugeMetricFamily("fshnista_recommendation_backlog", backlog, value=row["tasks"]),
                GaugeMetricFamily(
                    "fshnista_recommendation_oldest_seconds", "Age of the oldest of them.", value=max(0.0, row["age"])
                ),
                CounterMetricFamily(
                    "fshnista_recommendation_counted", "Orders and try-ons counted.", value=row["counted"]
                ),
                CounterMetricFamily(
                    "fshnista_recommendation_lists", "Products whose list was made.", value=row["listed"]
                ),
            ]
        )
    )
    return generate_latest(registry)
