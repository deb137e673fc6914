"""The outbox: with the change or not at all, numbered without a gap."""

import asyncio
from datetime import UTC, datetime

import orjson
import pytest

from db.ids import new_id
from db.sessions import Database
from webhooks.outbox import Happening, emit, emit_all
from webhooks.payloads import LARGEST, fitted

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


async def place(database: Database, resource: str, *, fail: bool = False) -> str:
    async with database.write() as session:
        event = await emit(
            session, type="order.created", resource_id=resource, audience=["usr_b", "usr_a", "usr_b"],
            payload={"id": resource, "storefront_id": "sf_1"}, occurred_at=NOW,
        )  # fmt: skip
        await asyncio.sleep(0)
        if fail:
            raise RuntimeError("the change failed")
        return event


async def sequences(database: Database, resource: str) -> list[int]:
    rows = await database.fetch(
        "select resource_sequence from events where resource_id = $1 order by sequence", [resource]
    )
    return [row[0] for row in rows]


async def test_an_event_is_kept_with_its_change(database):
    resource = new_id("ord")
    event = await place(database, resource)
    [row] = await database.fetch("select * from events where id = $1", [event])
    assert (row["type"], row["version"], row["resource_sequence"]) == ("order.created", "1", 1)
    assert (row["audience"], row["storefront_id"], row["occurred_at"]) == (["usr_a", "usr_b"], "sf_1", NOW)
    assert row["payload"] == {"id": resource, "storefront_id": "sf_1"}


async def test_concurrent_changes_are_numbered_without_a_gap_though_some_fail(database):
    resource = new_id("ord")
    outcomes = await asyncio.gather(
        *(place(database, resource, fail=n % 3 == 0) for n in range(60)), return_exceptions=True
    )
    kept = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(kept) == 40
    assert await sequences(database, resource) == list(range(1, 41))


async def test_many_events_are_numbered_in_their_order_and_never_deadlock(database):
    resources = [new_id("prd") for _ in range(5)]

    async def change(order: list[str]) -> None:
        happenings = [Happening("product.updated", one, ["usr_a"], {"id": one}, NOW) for one in (*order, order[0])]
        async with database.write() as session:
            await emit_all(session, happenings)

    await asyncio.gather(*(change(resources if n % 2 else resources[::-1]) for n in range(40)))
    assert await sequences(database, resources[0]) == list(range(1, 61))
    assert await sequences(database, resources[2]) == list(range(1, 41))


async def test_a_type_outside_the_catalogue_is_refused(database):
    with pytest.raises(KeyError):
        async with database.write() as session:
            await emit(session, type="order.lost", resource_id="x", audience=[], payload={}, occurred_at=NOW)


@pytest.mark.parametrize(
    "payload", [{"variants": [{"sku": "x" * 50}] * 1000, "id": "a"}, {"description": "é" * 50_000}]
)
def test_a_payload_is_shortened_until_it_fits_and_says_so(payload):
    short = fitted(payload)
    assert len(orjson.dumps(short)) <= LARGEST
    assert short["truncated"] == [max(payload, key=lambda key: len(payload[key]))]
    assert short.get("id") == payload.get("id")
