"""How much work a request is: a guard that needs no clock, so that it says the same on every machine.

Python functions entered in this project, graphql-core and Strawberry, and SQL statements sent, once everything is warm.
Where a change makes it cheaper, lower the numbers; where one must make it dearer, say why beside them.
"""

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from db.sessions import statements_sent
from execution.engine import GraphQLRequest
from tests.execution.comparing import Comparer
from tests.execution.world import World

ROOT = Path(__file__).parents[2]
WATCHED = tuple(f"{ROOT}/{room}/" for room in ("execution", "db", "auth", "resolvers", "schema"))
LIBRARIES = ("/graphql/", "/strawberry/", "/aiodataloader/")
REQUESTS = {
    "joined page": """query($id: ID!) { storefront(id: $id) { name owner { handle } products(first: 20) { nodes { title
        price { amount currency } totalInventory affiliateLinks(first: 5) { nodes { code affiliate { handle } } } } } } }""",
    "wide list": "{ products(first: 100) { nodes { id sku title status price { amount } category createdAt } totalCount } }",
    "point read": "query($id: ID!) { storefront(id: $id) { id handle name } }",
    "mixed": "{ assets(first: 5) { nodes { id rights { license } } } }",
}
CALLS = {"joined page": 23, "wide list": 17, "point read": 23, "mixed": 533}
STATEMENTS = {"joined page": 1, "wide list": 1, "point read": 1, "mixed": 2}


class Counter:
    """Counts functions entered while it is installed."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """A profile function (`sys.setprofile`)."""
        name = frame.f_code.co_filename
        if event == "call" and (name.startswith(WATCHED) or any(part in name for part in LIBRARIES)):
            self.calls += 1


async def work(comparer: Comparer, world: World, query: str) -> tuple[int, int]:
    """Functions entered and statements sent for one warm request."""
    request, viewer = GraphQLRequest(query, {"id": world.ids("storefronts")[0]}), world.viewers["owner"]
    counter, sent = Counter(), [0]
    token = statements_sent.set(sent)
    sys.setprofile(counter)
    try:
        outcome = await comparer.answer(comparer.planned, request, viewer)
    finally:
        sys.setprofile(None)
        statements_sent.reset(token)
    assert not outcome.errors
    return counter.calls, sent[0]


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_is_no_more_work_than_it_was(comparer: Comparer, world: World, name: str) -> None:
    runs = [await work(comparer, world, REQUESTS[name]) for _ in range(6)]
    calls, statements = min(run[0] for run in runs[2:]), min(run[1] for run in runs[2:])
    assert statements == STATEMENTS[name]
    assert calls <= CALLS[name] * 1.1, f"{name}: {calls} functions entered, {CALLS[name]} were"


async def test_work_does_not_grow_with_rows(comparer: Comparer, world: World) -> None:
    """A plan's answer goes out unparsed, so a longer page is no more work here."""
    few, many = [
        [await work(comparer, world, f"{{ products(first: {n}) {{ nodes {{ id sku title }} }} }}") for _ in range(5)][
            2:
        ]
        for n in (1, 100)
    ]
    assert min(few) == min(many)
