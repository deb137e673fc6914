"""Endpoints that fail for days: warned of, then disabled."""

from datetime import timedelta

from auth.audit import entries_of
from db.ids import new_id
from tests.webhooks.partners import eventually, new_partner, working
from tests.webhooks.receivers import receiving
from tests.webhooks.test_delivery import answers, settled
from webhooks import patience
from webhooks.policy import Patience


async def test_an_endpoint_that_fails_for_days_is_warned_of_then_disabled(database):
    partner = await new_partner(database)
    rules = Patience()
    async with receiving(answers(500)) as receiver, receiving() as other, working(database):
        failing, _ = await partner.endpoint(receiver.url)
        await partner.endpoint(other.url, events=["webhook.failing", "webhook.disabled"])
        await partner.happen(new_id("ord"))
        await settled(partner, failing)
        since = await eventually(lambda: _since(database, failing))
        told = []
        for days in (0.5, 1, 1.1, 3, 4, 5):
            moved = since - timedelta(days=days)
            await database.fetch("update webhook_endpoints set failing_since = $2 where id = $1", [failing, moved])
            told.append(await patience.review(database, rules))
        assert told == [0, 1, 0, 1, 1, 1]
        await other.wait(4)
    assert [one.event["type"] for one in sorted(other.received, key=lambda one: one.event["resource"]["sequence"])] == [
        *["webhook.failing"] * 3,
        "webhook.disabled",
    ]
    [row] = await database.fetch("select status from webhook_endpoints where id = $1", [failing])
    assert row["status"] == "disabled"
    owner = await database.fetch_value("select organization_id from users where id = $1", [partner.user_id])
    noted = [one["action"] for one in await entries_of(database, owner) if one["subject"] == failing]
    assert noted == [*["webhook.failing"] * 3, "webhook.disabled"]


async def _since(database, endpoint):
    [row] = await database.fetch("select failing_since from webhook_endpoints where id = $1", [endpoint])
    return row[0]


async def test_one_success_ends_a_run_of_failures(database):
    partner = await new_partner(database)
    async with receiving(answers(500, 200)) as receiver, working(database):
        endpoint, _ = await partner.endpoint(receiver.url)
        await partner.happen(new_id("ord"))
        await settled(partner, endpoint)

        async def ended():
            return await _since(database, endpoint) is None

        await eventually(ended)
