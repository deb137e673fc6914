"""How good recommendations are, and how quickly they are made: `make bench-recommendations`.

Behaviour with a planted structure (`bench/shoppers.py`) goes into the tables, the worker's rounds run, and the lists are
asked for through GraphQL as a partner does. For each product of a held-out basket: are the others of that basket among
the first ten? Recall@10 is the share that is; nDCG@10 counts a find the more the earlier it stands (Järvelin and Kekäläinen,
"Cumulated Gain-Based Evaluation of IR Techniques", ACM TOIS 20(4), 2002). A quarter of a basket follows no structure, so
even "who knows the plan" cannot have everything.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log2
from pathlib import Path
from random import Random
from typing import Final

import asyncpg

from auth.viewer import Viewer
from bench.shoppers import END, Plan, planted, put
from db.embedded import EmbeddedPostgres
from db.generate import Sizes, generate
from db.migrate import migrate
from db.recommend import rounds
from db.sessions import Database
from execution.engine import Engine, GraphQLRequest, Operation
from schema.build import build_schema

TOP: Final = 10
STRANGER: Final = Viewer("usr", "cli", "org", frozenset({"storefronts:read", "preview:recommendations"}))
QUERY: Final = """
query($ids: [ID!]!, $shop: ID) { nodes(ids: $ids) { ... on Product { id
  recommendations(first: 10, storefrontId: $shop) { nodes { product { id } } } } } }
"""
Ranking = Callable[[str], list[str]]


@dataclass(frozen=True)
class Score:
    """Means over the products that were asked about."""

    asked: int
    recall: float
    ndcg: float


def score(plan: Plan, ranking: Ranking, about: Callable[[str], bool] = lambda product: True) -> Score:
    """How well a ranking foretells the rest of each held-out basket, asked about each of its products."""
    recalls, gains = [], []
    for basket in plan.held_out:
        for product in filter(about, basket.products):
            rest = set(basket.products) - {product}
            if rest:
                hits = [one in rest for one in ranking(product)[:TOP]]
                best = sum(1 / log2(place + 2) for place in range(min(len(rest), TOP)))
                recalls.append(sum(hits) / len(rest))
                gains.append(sum(hit / log2(place + 2) for place, hit in enumerate(hits)) / best)
    asked = len(recalls) or 1
    return Score(len(recalls), sum(recalls) / asked, sum(gains) / asked)


async def served(db: Database, plan: Plan) -> dict[str, list[str]]:
    """The first ten of each product, as the server's own plan answers. A query that is not planned has no context and fails."""
    engine = Engine(build_schema(frozenset({"recommendations"}))._schema, db, constants={"public_url": ""})
    found, products = {}, list(plan.titles)
    for start in range(0, len(products), 50):
        request = GraphQLRequest(QUERY, {"ids": products[start : start + 50], "shop": plan.storefront})
        operation = engine.prepare(request)
        assert isinstance(operation, Operation), operation
        outcome = await engine.run(operation, request, STRANGER, lambda: None)
        assert not outcome.errors, outcome.errors
        for node in json.loads(outcome.data or b"")["nodes"]:
            found[node["id"]] = [one["product"]["id"] for one in node["recommendations"]["nodes"]]
    return found


def rankings(plan: Plan, lists: Mapping[str, list[str]], seed: int) -> dict[str, Ranking]:
    """This server, and what it is measured against."""
    loved = Counter(product for basket in plan.past for product in basket.products)
    popular, random = [product for product, _ in loved.most_common(TOP + 1)], Random(seed)
    everyone = list(plan.titles)
    return {
        "this server": lambda product: lists[product],
        "popularity": lambda product: [one for one in popular if one != product],
        "random": lambda product: random.sample([one for one in everyone if one != product], TOP),
        "who knows the plan": lambda product: sorted(plan.mates(product), key=lambda one: -loved[one]),
    }


async def refreshed(db: Database, plan: Plan) -> rounds.Round:
    """Puts the plan into the tables and does a worker's work."""
    async with db.pool.acquire() as connection:
        await put(connection, plan)
        return await rounds.drain(connection, END)


async def bench(plan: Plan, catalogue: int, seconds: float) -> None:
    """Every line of the report."""
    with tempfile.TemporaryDirectory() as home, EmbeddedPostgres.start(Path(home) / "home") as postgres:
        await migrate(postgres.dsn)
        db = await Database.open(postgres.dsn)
        began = time.monotonic()
        done = await refreshed(db, plan)
        print(
            f"{done.counted} orders and try-ons counted, {done.listed} lists made in {time.monotonic() - began:.1f} s\n"
        )
        _report(plan, rankings(plan, await served(db, plan), seed=1))
        if catalogue:
            await _scale(postgres.dsn, db, catalogue, seconds)
        await db.close()


def _report(plan: Plan, ranked: Mapping[str, Ranking]) -> None:
    groups: dict[str, Callable[[str], bool]] = {
        "all products": lambda product: True,
        "with history": lambda product: product not in plan.fresh,
        "whose look changed halfway": lambda product: product in plan.moved,
        "without history": lambda product: product in plan.fresh,
    }
    print("| asked about | by | questions | recall@10 | nDCG@10 |\n|---|---|---|---|---|")
    for group, about in groups.items():
        for name, ranking in ranked.items():
            found = score(plan, ranking, about)
            print(f"| {group} | {name} | {found.asked} | {found.recall:.3f} | {found.ndcg:.3f} |")


async def _scale(dsn: str, db: Database, products: int, seconds: float) -> None:
    """How long a thousand products take in a large catalogue."""
    await generate(dsn, Sizes(max(10, products // 40), products, 1000), 1)
    async with db.pool.acquire() as connection:
        read = await _timed(connection, lambda done: done.listed > 0, 3600)
        made = await _timed(connection, lambda done: not done.tasks, seconds)
    print(f"\nOf {products:,} products, 1,000 are read in {read[0] / products * 1000:.2f} s; ", end="")
    print(f"to find what is like 1,000 of them takes {made[0] / max(1, made[1]) * 1000:.1f} s.")


async def _timed(
    connection: asyncpg.Connection, ended: Callable[[rounds.Round], bool], seconds: float
) -> tuple[float, int]:
    began, listed = time.monotonic(), 0
    while time.monotonic() < began + seconds:
        done = await rounds.refresh(connection, END)
        if done is None or ended(done):
            break
        listed += done.listed
    return time.monotonic() - began, listed


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.recommendations", description=__doc__)
    parser.add_argument("--baskets", type=int, default=20_000, help="how many shoppers (20000)")
    parser.add_argument(
        "--catalogue", type=int, default=200_000, help="products in the timing; 0 leaves it out (200000)"
    )
    parser.add_argument("--seconds", type=float, default=60, help="how long to make lists in the timing (60)")
    asked = parser.parse_args()
    plan = planted(looks=100, pieces=12, baskets=asked.baskets, seed=7)
    asyncio.run(bench(plan, asked.catalogue, asked.seconds))


if __name__ == "__main__":
    main()
