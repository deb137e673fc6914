"""Rounds: some tasks at a time, each round one transaction. Any number of workers may try; one at a time is at it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from db.recommend import counting, features, lists

_LOCK: Final = 0x66736834
COUNTS, LISTS, SEARCHES = 400, 150, 60  # tasks a round
_TRY: Final = "select pg_try_advisory_xact_lock($1)"
_TAKE: Final = """
delete from recommendation_tasks where id = any(array(
  select id from recommendation_tasks where kind = $1 order by id limit $2)) returning id, kind, item
"""
_ASK: Final = """
insert into recommendation_tasks (kind, item)
select $1, a.item from unnest($2::text[]) a(item) where not exists (
  select from recommendation_tasks t where t.item = a.item and (t.kind = 'search' or t.kind = $1))
"""
# Whom a searched product is like, and who does not have it yet.
_LIKED: Final = """
select distinct r.other_id from unnest($1::text[]) s(id) cross join lateral (
  select product_id, other_id from recommendations where product_id = s.id order by points desc, other_id limit 10) r
where not exists (select from recommendations b where b.product_id = r.other_id and b.other_id = r.product_id)
"""
_OLD: Final = """
select product_id from product_features where searched_at < $1::timestamptz - interval '7 days' order by searched_at limit $2
"""
_COUNT: Final = "update recommendation_refresh set counted = counted + $1, listed = listed + $2"
_EVERYTHING: Final = (
    "truncate product_pairs, tryon_visits, product_features, recommendations, recommendation_tasks",
    "insert into recommendation_tasks (kind, item) select 'product', id from products order by id",
    "insert into recommendation_tasks (kind, item) select 'order', id from orders order by id",
    "insert into recommendation_tasks (kind, item) select 'tryon', id from tryon_sessions order by id",
)


@dataclass(frozen=True)
class Round:
    """What a round did: tasks taken, orders and sessions counted, lists made."""

    tasks: int
    counted: int = 0
    listed: int = 0


class Refused(ValueError):
    """The database refuses something that these tasks hold; the round is undone."""

    def __init__(self, tasks: Sequence[int], message: str) -> None:
        super().__init__(message)
        self.tasks = tasks


async def refresh(connection: Any, now: datetime, *, most: int = COUNTS) -> Round | None:
    """Makes one round; None where another worker is at it. A round without tasks had nothing to do."""
    async with connection.transaction():
        if not await connection.fetchval(_TRY, _LOCK):
            return None
        taken = await _take(connection, most)
        try:
            return await _done(connection, taken, now)
        except asyncpg.DataError as error:
            raise Refused([row["id"] for row in taken], str(error)) from error


async def _take(connection: Any, most: int) -> list[asyncpg.Record]:
    """What is to be counted goes first, so that a list is made once for many visits; the searches of an import go last."""
    taken: list[asyncpg.Record] = []
    for kind in ("product", "order", "tryon"):
        taken += await connection.fetch(_TAKE, kind, most - len(taken))
    for kind, share in (("list", LISTS), ("search", SEARCHES)):
        if len(taken) < most:
            taken += await connection.fetch(_TAKE, kind, min(share, most - len(taken)))
    return taken


async def _done(connection: Any, taken: Sequence[asyncpg.Record], now: datetime) -> Round:
    done = await _do(connection, {(row["kind"], row["item"]) for row in taken}, len(taken), now)
    if done.tasks:
        await connection.execute(_COUNT, done.counted, done.listed)
    return done


async def drop(connection: Any, tasks: Sequence[int]) -> None:
    """Takes tasks away, undone."""
    await connection.execute("delete from recommendation_tasks where id = any($1)", tasks)


async def _do(connection: Any, tasks: set[tuple[str, str]], taken: int, now: datetime) -> Round:
    items = {kind: sorted(item for k, item in tasks if k == kind) for kind in {kind for kind, _ in tasks}}
    touched = set[str]()
    if "order" in items:
        touched |= await counting.count_orders(connection, items["order"])
    if "tryon" in items:
        touched |= await counting.count_tryons(connection, items["tryon"])
    if "product" in items:
        await _ask(connection, "search", await features.read(connection, items["product"]))
        await features.learn_frequencies(connection, len(items["product"]))
    searched, renewed = items.get("search", []), sorted(set(items.get("list", ())) - set(items.get("search", ())))
    if searched:
        await lists.search(connection, searched, now)
        await _ask(connection, "list", {row[0] for row in await connection.fetch(_LIKED, searched)})
    if renewed:
        await lists.renew(connection, renewed, now)
    await _ask(connection, "list", touched)
    counted = len(items.get("order", ())) + len(items.get("tryon", ()))
    return Round(taken, counted, len(searched) + len(renewed))


async def _ask(connection: Any, kind: str, items: Iterable[str]) -> None:
    wanted = sorted(items)
    if wanted:
        await connection.execute(_ASK, kind, wanted)


async def ask_for_the_old(connection: Any, now: datetime) -> int:
    """Asks for the lists that have stood for a week: what supports them has faded, and others have come."""
    old = [row[0] for row in await connection.fetch(_OLD, now, SEARCHES)]
    await _ask(connection, "search", old)
    return len(old)


async def start_over(connection: Any) -> None:
    """Forgets everything that was made, and asks for all of it."""
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        for sql in _EVERYTHING:
            await connection.execute(sql)


async def drain(connection: Any, now: datetime) -> Round:
    """Rounds until nothing is left to do, for tests and measurements. Returns what they did in all."""
    tasks = counted = listed = 0
    while (done := await refresh(connection, now)) is None or done.tasks:
        if done is not None:
            tasks, counted, listed = tasks + done.tasks, counted + done.counted, listed + done.listed
    return Round(tasks, counted, listed)
