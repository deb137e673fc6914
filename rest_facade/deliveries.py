"""REST v1: deliveries of a webhook, and sending again."""

from asyncio import gather
from typing import Literal

from pydantic import Field

from db.bodies.webhooks import CountBody, DeliveryBody
from db.relations import WEBHOOK_DELIVERIES
from resolvers import deliveries
from resolvers.deliveries import RecoverInput, ReplayInput, TestInput
from resolvers.inputs import MomentInput
from resolvers.reads import page_args
from rest_facade import examples
from rest_facade.call import Answer, Call, shown, written
from rest_facade.endpoint import envelope
from rest_facade.queries import ListQuery, Text
from rest_facade.route import Route
from rest_facade.webhooks import SCOPE, TAG

_PATH = "/v1/webhooks/{id}/deliveries"


class DeliveriesQuery(ListQuery):
    """Which deliveries."""

    status: Literal["waiting", "leased", "queued", "blocked", "delivered", "failed", "cancelled"] | None = None
    type: Text | None = Field(None, description="An event type.")
    since: MomentInput | None = Field(None, description="Those made at this time or later.")
    sort: Literal["CREATED_AT_ASC", "CREATED_AT_DESC"] = Field("CREATED_AT_DESC", description="Newest first, or last.")


async def index(call: Call) -> Answer:
    """A page of an endpoint's deliveries, newest first."""
    query: DeliveriesQuery = call.query
    filters = tuple(
        (name, value)
        for name, value in (("status", query.status), ("type", query.type), ("since", query.since))
        if value is not None
    )
    args = page_args(
        WEBHOOK_DELIVERIES, first=query.limit, after=query.cursor, sort=query.sort, filters=filters,
        names={"after": "cursor"},
    )  # fmt: skip
    page = await deliveries.list_deliveries(call.ctx, webhook_id=call.path["id"], args=args)
    bodies = await gather(*(deliveries.delivery_body(call.ctx, row) for row in page.rows))
    return envelope(call, [body.as_json() for body in bodies], page.cursor(page.rows[-1]) if page.has_next else None)


async def show(call: Call) -> Answer:
    """One delivery."""
    row = await deliveries.get_delivery(call.ctx, webhook_id=call.path["id"], id=call.path["delivery_id"])
    return shown(await deliveries.delivery_body(call.ctx, row))


async def resend(call: Call) -> Answer:
    """Sends one again."""
    outcome = await deliveries.resend_delivery(call.ctx, webhook_id=call.path["id"], id=call.path["delivery_id"])
    return _accepted(written(outcome))


async def recover(call: Call) -> Answer:
    """Sends again what failed."""
    outcome = await deliveries.recover_deliveries(call.ctx, webhook_id=call.path["id"], given=call.body)
    return _accepted(written(outcome))


async def replay(call: Call) -> Answer:
    """Sends a range of the log."""
    outcome = await deliveries.replay_events(call.ctx, webhook_id=call.path["id"], given=call.body)
    return _accepted(written(outcome))


async def test(call: Call) -> Answer:
    """Sends an example."""
    outcome = await deliveries.test_webhook(call.ctx, webhook_id=call.path["id"], given=call.body)
    return _accepted(written(outcome))


def _accepted(answer: Answer) -> Answer:
    return Answer(answer.body, 202, answer.headers)


ROUTES = (
    Route(
        "GET", _PATH, index, "The deliveries of a webhook with every attempt, newest first", TAG, {200: DeliveryBody},
        scope=SCOPE, query=DeliveriesQuery, listed=True, example_answer=examples.DELIVERY,
    ),
    Route(
        "GET", _PATH + "/{delivery_id}", show, "One delivery with every attempt", TAG, {200: DeliveryBody},
        scope=SCOPE, example_answer=examples.DELIVERY,
    ),
    Route(
        "POST", _PATH + "/{delivery_id}/resend", resend, "Send one delivery again", TAG, {202: DeliveryBody},
        scope=SCOPE, errors=(409,), example_answer=examples.DELIVERY | {"status": "waiting", "attempts": []},
    ),
    Route(
        "POST", "/v1/webhooks/{id}/recover", recover, "Send again all that failed since a time", TAG, {202: CountBody},
        scope=SCOPE, body=RecoverInput, errors=(409,),
        example={"since": "2026-11-22T00:00:00Z"}, example_answer={"count": 12},
    ),
    Route(
        "POST", "/v1/webhooks/{id}/replay", replay, "Send a range of the log to a webhook, whatever it has had of it",
        TAG, {202: CountBody}, scope=SCOPE, body=ReplayInput, errors=(409,),
        example={"since": "2026-11-22T00:00:00Z", "until": "2026-11-23T00:00:00Z", "event_types": ["order.created"]},
        example_answer={"count": 240},
    ),
    Route(
        "POST", "/v1/webhooks/{id}/test", test, "Send an example event to a webhook", TAG, {202: DeliveryBody},
        scope=SCOPE, body=TestInput, errors=(409,), example={"event_type": "order.created"},
        example_answer=examples.DELIVERY | {"cause": "test", "status": "waiting", "attempts": []},
    ),
)  # fmt: skip
