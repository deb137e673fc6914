"""Deliveries: the log of each endpoint, sending again, and how it is going."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlmodel import select

from db.bodies.webhooks import DeliveryBody, LatencyBody, NoticeBody, WebhookHealthBody
from db.partitions import first_id
from db.relations import DELIVERY_ATTEMPTS, WEBHOOK_DELIVERIES
from db.rows import hydrate_all, select_list
from db.sessions import WriteSession
from db.tables import Delivery, WebhookNotice
from resolvers.context import Context
from resolvers.errors import Conflict, Fault, Invalid, NotFound
from resolvers.inputs import ABSENT, Input, MomentInput
from resolvers.loaders import Page, PageArgs
from resolvers.reads import check_id, follow, page_args
from resolvers.webhooks import EventName, Events, get_webhook, own_webhook
from resolvers.writes import Written, write
from webhooks.redelivery import recover, replay, resend, send_test
from webhooks.shapes import SHAPES, example_of

KEPT: Final = timedelta(days=30)
MOST_ATTEMPTS: Final = 100
_HEALTH: Final = """
select
  (select count(*) from deliveries where endpoint_id = $1 and finished_at is null) as backlog,
  (select min(created_at) from deliveries where endpoint_id = $1 and finished_at is null) as oldest_at,
  (select json_object_agg(outcome, n) from (
     select a.outcome, count(*) as n from deliveries d join delivery_attempts a on a.delivery_id = d.id
     where d.endpoint_id = $1 and d.id >= $2 group by 1) o) as attempts,
  (select percentile_disc(array[0.5, 0.95, 0.99]) within group (order by ms) from (
     select greatest(0, extract(epoch from a.started_at - d.created_at) * 1000)::int as ms
     from deliveries d join delivery_attempts a on a.delivery_id = d.id
     where d.endpoint_id = $1 and d.id >= $2 and a.number = 1 and d.cause = 'event') l) as latency
"""


class RecoverInput(Input):
    """Since when what failed is sent again."""

    since: MomentInput


class ReplayInput(Input):
    """A range of the log: `until` is now, and `event_types` those of the endpoint, where they are left out."""

    since: MomentInput
    until: MomentInput = ABSENT
    event_types: Events = ABSENT


class TestInput(Input):
    """Of which type; the first that the endpoint is subscribed to, where it is left out."""

    event_type: EventName = ABSENT


async def list_deliveries(ctx: Context, *, webhook_id: str, args: PageArgs) -> Page[Delivery]:
    """A page of an endpoint's deliveries."""
    return await follow(ctx, WEBHOOK_DELIVERIES, await get_webhook(ctx, id=webhook_id), args)


async def get_delivery(ctx: Context, *, webhook_id: str, id: str) -> Delivery:  # noqa: A002
    """One delivery to an endpoint."""
    row = await get_webhook(ctx, id=webhook_id)
    check_id("dlv", id)
    sql = f"select {select_list(Delivery, 't')} from deliveries t where t.id = $1 and t.endpoint_id = $2"
    found = hydrate_all(Delivery, await ctx.db.fetch(sql, [id, row.id]))
    if not found:
        raise NotFound("delivery", id[:64])
    return found[0]


async def delivery_body(ctx: Context, row: Delivery) -> DeliveryBody:
    """A delivery with its attempts (the first hundred), as REST tells it."""
    attempts = await ctx.loaders.page(DELIVERY_ATTEMPTS, row.id, page_args(DELIVERY_ATTEMPTS, first=MOST_ATTEMPTS))
    return DeliveryBody.of(row, attempts.rows)


async def resend_delivery(ctx: Context, *, webhook_id: str, id: str) -> Written:  # noqa: A002
    """Sends one delivery again: the same event, the same `webhook-id`, a schedule of its own."""
    ctx.require("webhooks:manage")
    return await write(ctx, "webhook.resend", {"id": webhook_id, "delivery": id}, partial(_resend, ctx, webhook_id, id))


async def _resend(ctx: Context, webhook_id: str, id: str, session: WriteSession) -> Written:  # noqa: A002
    endpoint = await own_webhook(ctx, session, webhook_id)
    _must_run(endpoint.status)
    check_id("dlv", id)
    query = select(Delivery).where(Delivery.id == id, Delivery.endpoint_id == endpoint.id)
    row = (await session.exec(query)).first()
    if row is None:
        raise NotFound("delivery", id[:64])
    if not await resend(session, endpoint.id, id):
        raise Conflict(f"The delivery {id} is on its way already.", code="delivery_in_progress")
    await session.refresh(row)
    return Written(DeliveryBody.of(row, []).as_json())


def _must_run(status: str) -> None:
    if status == "disabled":
        raise Conflict("This webhook is disabled; set its status to enabled first.", code="webhook_disabled")


async def recover_deliveries(ctx: Context, *, webhook_id: str, given: RecoverInput) -> Written:
    """Sends again all that failed since a time."""
    ctx.require("webhooks:manage")
    _check_since(ctx, given.since)

    async def act(session: WriteSession) -> Written:
        endpoint = await own_webhook(ctx, session, webhook_id)
        _must_run(endpoint.status)
        return Written({"id": endpoint.id, "count": await recover(session, endpoint.id, given.since)})

    return _count(await write(ctx, "webhook.recover", {"id": webhook_id, **given.sent}, act))


async def replay_events(ctx: Context, *, webhook_id: str, given: ReplayInput) -> Written:
    """Sends a range of the log to one endpoint, whatever it has had of it."""
    ctx.require("webhooks:manage")
    _check_since(ctx, given.since)
    until = given.until if "until" in given.sent else ctx.clock()

    async def act(session: WriteSession) -> Written:
        endpoint = await own_webhook(ctx, session, webhook_id)
        _must_run(endpoint.status)
        types = given.event_types or endpoint.events
        return Written({"id": endpoint.id, "count": await replay(session, endpoint, given.since, until, types)})

    return _count(await write(ctx, "webhook.replay", {"id": webhook_id, **given.sent}, act))


def _count(written: Written) -> Written:
    return Written({"count": written.body["count"]}, written.created, written.replayed)


def _check_since(ctx: Context, since: datetime) -> None:
    if since < ctx.clock() - KEPT:
        raise Invalid(Fault("/since", f"must be within the last {KEPT.days} days, which is how long events are kept"))


async def test_webhook(ctx: Context, *, webhook_id: str, given: TestInput) -> Written:
    """Sends an example event to an endpoint."""
    ctx.require("webhooks:manage")
    return await write(ctx, "webhook.test", {"id": webhook_id, **given.sent}, partial(_test, ctx, webhook_id, given))


async def _test(ctx: Context, webhook_id: str, given: TestInput, session: WriteSession) -> Written:
    endpoint = await own_webhook(ctx, session, webhook_id)
    _must_run(endpoint.status)
    known = [name for name in endpoint.events if name in SHAPES]
    name = given.event_type or (known[0] if known else next(iter(SHAPES)))
    delivery = await send_test(session, endpoint, example_of(name), ctx.clock())
    row = await session.get_one(Delivery, delivery)
    return Written(DeliveryBody.of(row, []).as_json())


async def health(ctx: Context, *, webhook_id: str) -> WebhookHealthBody:
    """How deliveries to an endpoint are going."""
    row = await get_webhook(ctx, id=webhook_id)
    day_ago = first_id("dlv", ctx.clock() - timedelta(days=1))
    [found] = await ctx.db.fetch(_HEALTH, [row.id, day_ago])
    latency = dict(zip(("p50", "p95", "p99"), found["latency"] or (None, None, None), strict=True))
    return WebhookHealthBody.model_construct(
        status=row.status,
        failing_since=row.failing_since,
        backlog=found["backlog"],
        oldest_at=found["oldest_at"],
        attempts=found["attempts"] or {},
        first_attempt_ms=LatencyBody.model_construct(**latency),
        notices=await _notices(ctx, row.id),
    )


async def _notices(ctx: Context, webhook_id: str) -> list[NoticeBody]:
    columns: Any = select_list(WebhookNotice, "t")
    sql = f"select {columns} from webhook_notices t where t.endpoint_id = $1 order by t.id desc limit 10"
    return [NoticeBody.of(row) for row in hydrate_all(WebhookNotice, await ctx.db.fetch(sql, [webhook_id]))]
