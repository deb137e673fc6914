"""What operators see."""

from prometheus_client.parser import text_string_to_metric_families

from db.ids import new_id
from tests.webhooks.partners import eventually, new_partner, working
from tests.webhooks.receivers import Reply, receiving
from webhooks.metrics import exposition


async def samples(database):
    text = (await exposition(database)).decode()
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in found}


async def test_attempts_backlog_and_latency_are_counted(database):
    partner = await new_partner(database)
    before = await samples(database)

    def grown(after, *name):
        return after.get(name, 0) - before.get(name, 0)

    async with receiving() as receiver, receiving(lambda _: Reply(500)) as failing, working(database, lease=1.5):
        await partner.endpoint(receiver.url)
        await partner.endpoint(failing.url)
        await partner.endpoint("http://127.0.0.1:9999/", status="paused")
        await partner.happen(new_id("ord"))

        async def counted():
            after = await samples(database)
            done = grown(after, "fshnista_webhook_attempts_total", "delivered") >= 1
            return after if done and grown(after, "fshnista_webhook_attempts_total", "refused") >= 4 else None

        after = await eventually(counted)
        assert after["fshnista_webhook_workers",] >= 1
    assert grown(after, "fshnista_webhook_first_attempt_seconds_count") >= 2
    assert grown(after, "fshnista_webhook_events_total") >= 1
    assert after["fshnista_webhook_backlog", "queued"] >= 1
    assert after["fshnista_webhook_oldest_seconds", "queued"] > 0
