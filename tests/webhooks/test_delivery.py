"""Events on their way: to real receivers over loopback, by real workers, through a real PostgreSQL."""

import asyncio
import time
from collections import Counter

import pytest
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook

from db.ids import new_id
from tests.webhooks.partners import eventually, new_partner, working
from tests.webhooks.receivers import Reply, receiving
from webhooks.policy import Schedule
from webhooks.signing import secret_text


def answers(*statuses: int, headers: dict[str, str] | None = None):
    """A receiver that answers with these, one after the other, and then always with the last."""
    left = list(statuses)
    return lambda _: Reply(left.pop(0) if len(left) > 1 else left[0], headers or {})


async def deliveries(partner, endpoint: str, *, status: str | None = None):
    rows = await partner.db.fetch("select * from deliveries where endpoint_id = $1 order by position", [endpoint])
    return [row for row in rows if status in (None, row["status"])]


async def attempts(partner, delivery: str):
    return await partner.db.fetch("select * from delivery_attempts where delivery_id = $1 order by number", [delivery])


async def settled(partner, endpoint: str, count: int = 1):
    async def check():
        rows = await deliveries(partner, endpoint)
        return rows if len(rows) >= count and all(row["finished_at"] for row in rows) else None

    return await eventually(check)


async def test_an_event_arrives_signed_and_is_written_down(database):
    partner, order = await new_partner(database), new_id("ord")
    async with receiving() as receiver, working(database):
        endpoint, key = await partner.endpoint(receiver.url)
        [event] = await partner.happen(order, title="étoffe")
        [received] = await receiver.wait(1)
        told = Webhook(secret_text(key.secret)).verify(received.body, received.headers)
        assert (told["id"], told["type"], told["version"]) == (event, "order.created", "1")
        assert told["resource"] == {"id": order, "sequence": 1}
        assert told["data"] == {"id": order, "title": "étoffe"}
        assert received.headers["webhook-id"] == event
        [delivery] = await settled(partner, endpoint)
    assert (delivery["status"], delivery["attempts"], delivery["last_status"]) == ("delivered", 1, 200)
    [attempt] = await attempts(partner, delivery["id"])
    assert (attempt["outcome"], attempt["response_body"], attempt["url"]) == ("delivered", b"ok", receiver.url)
    assert attempt["request_headers"]["webhook-id"] == event


async def test_only_what_is_asked_for_arrives(database):
    partner, stranger = await new_partner(database), await new_partner(database)
    async with receiving() as receiver, working(database):
        await partner.happen(new_id("ord"))  # before there was an endpoint
        await partner.endpoint(receiver.url, events=["order.created"], storefront_ids=["sf_1"])
        await partner.happen(new_id("ord"), kind="order.fulfilled", storefront_id="sf_1")
        await partner.happen(new_id("ord"), storefront_id="sf_2")
        await stranger.happen(new_id("ord"), storefront_id="sf_1")
        [wanted] = await partner.happen(new_id("ord"), storefront_id="sf_1")
        await receiver.wait(1)
        await asyncio.sleep(0.2)
    assert [one.event["id"] for one in receiver.received] == [wanted]


async def test_failures_are_tried_again_until_one_succeeds(database):
    partner = await new_partner(database)
    async with receiving(answers(500, 302, 200)) as receiver, working(database):
        endpoint, _ = await partner.endpoint(receiver.url)
        await partner.happen(new_id("ord"))
        [delivery] = await settled(partner, endpoint)
    tried = await attempts(partner, delivery["id"])
    assert [(row["outcome"], row["status"]) for row in tried] == [
        ("refused", 500),
        ("refused", 302),
        ("delivered", 200),
    ]
    assert "redirects are not followed" in tried[1]["error"]
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
    assert len({one.body for one in receiver.received}) == 1


async def test_it_is_given_up_at_the_end_of_the_schedule(database):
    partner = await new_partner(database)
    async with receiving(answers(500)) as receiver, working(database):
        endpoint, _ = await partner.endpoint(receiver.url)
        await partner.happen(new_id("ord"))
        [delivery] = await settled(partner, endpoint)
    assert (delivery["status"], delivery["attempts"]) == ("failed", 4)
    assert len(receiver.received) == 4


async def test_retry_after_is_honoured(database):
    partner = await new_partner(database)
    async with receiving(answers(429, 200, headers={"retry-after": "1"})) as receiver, working(database):
        await partner.endpoint(receiver.url)
        await partner.happen(new_id("ord"))
        first, second = await receiver.wait(2)
    assert second.at - first.at >= 1.0


async def test_410_disables_and_says_so_to_the_owners_other_endpoints(database):
    partner = await new_partner(database)
    async with receiving(answers(410)) as leaving, receiving() as other, working(database):
        gone, _ = await partner.endpoint(leaving.url)
        await partner.endpoint(other.url, events=["webhook.disabled"])
        await partner.happen(new_id("ord"))
        [told] = await other.wait(1)
        assert (told.event["type"], told.event["data"]["id"]) == ("webhook.disabled", gone)
        await partner.happen(new_id("ord"))
        await asyncio.sleep(0.2)
    assert len(leaving.received) == 1
    [row] = await database.fetch("select status, status_reason from webhook_endpoints where id = $1", [gone])
    assert tuple(row) == ("disabled", "it answered 410 Gone")
    [notice] = await database.fetch("select kind from webhook_notices where endpoint_id = $1", [gone])
    assert notice["kind"] == "disabled"


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [(Reply(hang=True), "timeout"), (Reply(drop=True), "unreachable"), (Reply(delay=5), "timeout")],
)
async def test_silence_is_a_failure(database, reply, outcome):
    partner = await new_partner(database)
    async with receiving(lambda _: reply) as receiver, working(database, timeout=0.2, schedule=Schedule((0, 0))):
        endpoint, _ = await partner.endpoint(receiver.url)
        await partner.happen(new_id("ord"))
        [delivery] = await settled(partner, endpoint)
    assert [row["outcome"] for row in await attempts(partner, delivery["id"])] == [outcome] * 2


async def test_a_private_address_is_refused_at_delivery_too(database):
    async def lookup(host: str, port: int) -> list[str]:
        return ["10.1.2.3"]

    partner = await new_partner(database)
    async with working(database, lookup=lookup, schedule=Schedule((0, 0))):
        endpoint, _ = await partner.endpoint("http://internal.example:8080/")
        await partner.happen(new_id("ord"))
        [delivery] = await settled(partner, endpoint)
    assert {row["outcome"] for row in await attempts(partner, delivery["id"])} == {"blocked_address"}


async def test_ordered_resources_arrive_in_order_and_a_poison_event_holds_only_its_own(database):
    partner, sick, well = await new_partner(database), new_id("ord"), new_id("ord")

    def poison(received):
        told = received.event["resource"]
        return Reply(500 if told == {"id": sick, "sequence": 1} else 200)

    async with receiving(poison) as receiver, working(database, schedule=Schedule((0, 0.3, 0.3))):
        endpoint, _ = await partner.endpoint(receiver.url, ordered=True)
        for _ in range(5):
            await partner.happen(sick, well)
        await settled(partner, endpoint, 10)
    seen = [(one.event["resource"]["id"], one.event["resource"]["sequence"]) for one in receiver.received]
    assert [sequence for one, sequence in seen if one == sick] == [1, 1, 1, 2, 3, 4, 5]
    assert [sequence for one, sequence in seen if one == well] == [1, 2, 3, 4, 5]
    assert seen.index((well, 5)) < seen.index((sick, 2))


async def test_order_is_kept_by_many_workers_under_concurrent_changes(database):
    partner, resources = await new_partner(database), [new_id("ord") for _ in range(8)]
    async with receiving() as receiver, working(database), working(database), working(database):
        endpoint, _ = await partner.endpoint(receiver.url, ordered=True)
        await asyncio.gather(*(partner.happen(*resources) for _ in range(15)))
        await settled(partner, endpoint, 120)
    for resource in resources:
        seen = [
            one.event["resource"]["sequence"] for one in receiver.received if one.event["resource"]["id"] == resource
        ]
        assert seen == list(range(1, 16))


async def test_many_workers_send_each_event_once(database):
    partner = await new_partner(database)
    async with receiving() as receiver, working(database), working(database), working(database):
        endpoint, _ = await partner.endpoint(receiver.url)
        for _ in range(10):
            await asyncio.gather(*(partner.happen(*(new_id("ord") for _ in range(10))) for _ in range(5)))
        await settled(partner, endpoint, 500)
    assert set(Counter(one.headers["webhook-id"] for one in receiver.received).values()) == {1}
    assert len(receiver.received) == 500


async def test_an_event_committed_late_is_found_though_later_ones_went_before(database):
    partner, early, late = await new_partner(database), new_id("ord"), new_id("ord")
    async with receiving() as receiver, working(database):
        await partner.endpoint(receiver.url)
        async with database.write() as session:
            await session.exec(text("select pg_current_xact_id()"))  # an old transaction that has done nothing yet
            await partner.happen(early)
            await receiver.wait(1)
            await asyncio.sleep(0.2)
            await _emit(session, partner, late)
            await asyncio.sleep(0.2)
            await partner.happen(new_id("ord"))
            await receiver.wait(2)
            assert late not in [one.event["resource"]["id"] for one in receiver.received]
        await receiver.wait(3)
        assert receiver.received[2].event["resource"]["id"] == late
        await asyncio.sleep(0.2)
        assert len(receiver.received) == 3
    positions = await database.fetch(
        "select e.resource_id from event_feed f join events e on e.id = f.event_id where f.user_id = $1 order by f.position",
        [partner.user_id],
    )
    assert [row[0] for row in positions][::2] == [early, late]


async def _emit(session, partner, resource):
    from webhooks.outbox import emit

    now = (await session.exec(text("select now()"))).one()[0]
    await emit(
        session, type="order.created", resource_id=resource, audience=[partner.user_id], payload={}, occurred_at=now
    )


async def test_what_a_dead_worker_had_in_hand_is_sent_by_another(database):
    partner = await new_partner(database)
    async with receiving() as receiver:
        endpoint, _ = await partner.endpoint(receiver.url, status="paused")
        async with working(database, lease=2.5):
            await partner.happen(new_id("ord"), new_id("ord"))
            await eventually(lambda: _count(partner, endpoint, "queued", 2))
            await database.fetch(
                "update deliveries set status = 'leased', leased_by = 'ghost' where endpoint_id = $1", [endpoint]
            )
            await database.fetch("update webhook_endpoints set status = 'enabled' where id = $1", [endpoint])
            await database.fetch(
                "insert into delivery_workers (id, host, started_at, seen_at) values ('ghost', 'h', now(), now())"
            )
            began = time.time()
            rows = await settled(partner, endpoint, 2)
            assert time.time() - began > 2  # not before its lease was over
    assert [(row["status"], row["attempts"]) for row in rows] == [("delivered", 1)] * 2


async def test_a_hanging_endpoint_holds_up_no_other_and_is_given_a_break(database):
    partner = await new_partner(database)
    async with (
        receiving(lambda _: Reply(hang=True)) as dead,
        receiving() as fine,
        working(database, timeout=0.4) as worker,
    ):
        hanging, _ = await partner.endpoint(dead.url)
        await partner.endpoint(fine.url)
        began = time.time()
        for _ in range(10):
            await partner.happen(*(new_id("ord") for _ in range(30)))
        await fine.wait(300)
        assert time.time() - began < 5
        assert worker._engine.lanes[hanging].active <= 10
        await eventually(lambda: _true(worker._engine.lanes[hanging].breaks > 0))
        seen = len(dead.received)
        assert seen < 100
        dead.behave = lambda _: Reply()
        rows = await settled(partner, hanging, 300)
    assert Counter(row["status"] for row in rows)["delivered"] >= 290


async def _true(value):
    return value


async def test_a_paused_endpoint_keeps_what_comes_until_it_goes_on(database):
    partner = await new_partner(database)
    async with receiving() as receiver, working(database):
        endpoint, _ = await partner.endpoint(receiver.url, status="paused")
        await partner.happen(*(new_id("ord") for _ in range(5)))
        await eventually(lambda: _count(partner, endpoint, "queued", 5))
        assert receiver.received == []
        await database.fetch("update webhook_endpoints set status = 'enabled' where id = $1", [endpoint])
        await receiver.wait(5)
    resources = [one.event["resource"]["id"] for one in receiver.received]
    assert len(set(resources)) == 5


async def _count(partner, endpoint, status, count):
    return len(await deliveries(partner, endpoint, status=status)) == count


async def test_what_waits_for_a_deleted_endpoint_ends(database):
    partner = await new_partner(database)
    async with working(database):
        endpoint, _ = await partner.endpoint("http://127.0.0.1:9999/", status="paused")
        await partner.happen(new_id("ord"))
        await eventually(lambda: _count(partner, endpoint, "queued", 1))
        await database.fetch("delete from webhook_endpoints where id = $1", [endpoint])
        await eventually(lambda: _count(partner, endpoint, "cancelled", 1))


async def test_rate_and_concurrency_are_kept(database):
    partner, under_way, most = await new_partner(database), [0], [0]

    def watch(_):
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        asyncio.get_running_loop().call_later(0.02, lambda: under_way.__setitem__(0, under_way[0] - 1))
        return Reply(delay=0.02)

    async with receiving(watch) as receiver, working(database):
        await partner.endpoint(receiver.url, concurrency=3)
        await partner.happen(*(new_id("ord") for _ in range(30)))
        await receiver.wait(30)
    assert most[0] == 3
    async with receiving() as receiver, working(database):
        partner = await new_partner(database)
        await partner.endpoint(receiver.url, rate_limit=20)
        await partner.happen(*(new_id("ord") for _ in range(20)))
        got = await receiver.wait(20)
        assert 0.7 < got[-1].at - got[0].at < 2.5


async def test_after_a_restore_into_another_cluster_nothing_is_lost_and_nothing_told_twice(database):
    partner = await new_partner(database)
    async with receiving() as receiver:
        await partner.endpoint(receiver.url)
        async with working(database):
            await partner.happen(new_id("ord"))
            await receiver.wait(1)
            await asyncio.sleep(0.3)
        untold = await partner.happen(new_id("ord"), new_id("ord"))
        # As if every transaction number of the log came from a cluster that had seen many more of them.
        await database.fetch(
            "insert into dispatch_ticks (at, low, high, after) values (now(), $1, $1, 0)", [f"{10**15}:{10**15}:"]
        )
        async with working(database):
            await receiver.wait(3)
            new = await partner.happen(new_id("ord"))
            await receiver.wait(4)
            await asyncio.sleep(0.2)
    assert sorted(one.headers["webhook-id"] for one in receiver.received[1:]) == sorted([*untold, *new])


async def test_an_endpoint_whose_keys_cannot_be_opened_waits_and_harms_no_other(database):
    partner = await new_partner(database)
    async with receiving() as receiver, receiving() as fine:
        closed, _ = await partner.endpoint(receiver.url)
        await partner.endpoint(fine.url)
        sealed = await database.fetch_value(
            "select secret_sealed from webhook_secrets where endpoint_id = $1", [closed]
        )
        change = "update webhook_secrets set secret_sealed = $2 where endpoint_id = $1"
        await database.fetch(change, [closed, sealed[::-1]])
        async with working(database):
            await partner.happen(new_id("ord"))
            await fine.wait(1)
            await eventually(lambda: _count(partner, closed, "queued", 1))
        assert receiver.received == []
        await database.fetch(change, [closed, sealed])
        async with working(database):
            await receiver.wait(1)
