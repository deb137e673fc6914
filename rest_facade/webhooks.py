"""REST v1: webhook endpoints and their keys."""

from db.bodies.webhooks import (
    CreatedWebhookBody,
    KeySetBody,
    RotatedSecretBody,
    ShownSecretBody,
    WebhookBody,
    WebhookHealthBody,
    WebhookSecretBody,
)
from db.relations import WEBHOOKS
from resolvers import deliveries, reads, webhooks
from resolvers.webhooks import RotationInput, WebhookChanges, WebhookInput
from rest_facade import examples
from rest_facade.call import Answer, Call, shown, written
from rest_facade.endpoint import envelope
from rest_facade.queries import ListQuery
from rest_facade.route import Route
from webhooks.shapes import SHAPES

SCOPE, TAG = "webhooks:manage", "Webhooks"
_KEY_SET = "application/jwk-set+json"
# A minute: after a rotation that ends the older keys at once, nobody trusts them for longer.
_SHARED = {"content-type": _KEY_SET, "cache-control": "public, max-age=60", "access-control-allow-origin": "*"}


async def index(call: Call) -> Answer:
    """A page of the viewer's endpoints."""
    page = await reads.page(call.ctx, WEBHOOKS, call.query.page(WEBHOOKS))
    bodies = await webhooks.webhook_bodies(call.ctx, page.rows)
    return envelope(call, [body.as_json() for body in bodies], page.cursor(page.rows[-1]) if page.has_next else None)


async def show(call: Call) -> Answer:
    """One endpoint."""
    row = await webhooks.get_webhook(call.ctx, id=call.path["id"])
    return shown((await webhooks.webhook_bodies(call.ctx, [row]))[0])


async def create(call: Call) -> Answer:
    """Registers an endpoint."""
    return written(await webhooks.create_webhook(call.ctx, given=call.body), "/v1/webhooks/{id}")


async def update(call: Call) -> Answer:
    """Changes an endpoint."""
    outcome = await webhooks.update_webhook(call.ctx, id=call.path["id"], given=call.body, if_match=call.if_match)
    return written(outcome)


async def delete(call: Call) -> Answer:
    """Removes an endpoint."""
    await webhooks.delete_webhook(call.ctx, id=call.path["id"], if_match=call.if_match)
    return Answer(status=204)


async def secrets(call: Call) -> Answer:
    """The live secrets, their ends only."""
    found = await webhooks.secrets_of(call.ctx, id=call.path["id"])
    return envelope(call, [body.as_json() for body in found], None)


async def secret(call: Call) -> Answer:
    """The newest secret."""
    return shown(await webhooks.recent_secret(call.ctx, id=call.path["id"]))


async def rotate(call: Call) -> Answer:
    """A new secret."""
    return written(await webhooks.rotate_secret(call.ctx, id=call.path["id"], given=call.body))


async def key_set(call: Call) -> Answer:
    """The public keys that verify."""
    return Answer((await webhooks.key_set(call.ctx, id=call.path["id"])).as_json(), headers=_SHARED)


async def health(call: Call) -> Answer:
    """How it is going."""
    return shown(await deliveries.health(call.ctx, webhook_id=call.path["id"]))


ROUTES = (
    Route(
        "POST", "/v1/webhooks", create, "Register an address that is told of events",
        TAG, {201: CreatedWebhookBody}, scope=SCOPE, body=WebhookInput, errors=(409,), tells=SHAPES,
        example=examples.WEBHOOK_INPUT, example_answer=examples.WEBHOOK | {"secret": examples.WEBHOOK_SECRET},
    ),
    Route(
        "GET", "/v1/webhooks", index, "Your webhooks", TAG, {200: WebhookBody}, scope=SCOPE, query=ListQuery,
        listed=True, example_answer=examples.WEBHOOK,
    ),
    Route(
        "GET", "/v1/webhooks/{id}", show, "One webhook", TAG, {200: WebhookBody}, scope=SCOPE,
        example_answer=examples.WEBHOOK,
    ),
    Route(
        "PATCH", "/v1/webhooks/{id}", update, "Change, pause or enable a webhook; what is left out stays", TAG,
        {200: WebhookBody}, scope=SCOPE, body=WebhookChanges, errors=(412,),
        example={"status": "paused"}, example_answer=examples.WEBHOOK | {"status": "paused"},
    ),
    Route(
        "DELETE", "/v1/webhooks/{id}", delete, "Remove a webhook; what is on its way to it ends", TAG, {204: None},
        scope=SCOPE, errors=(412,),
    ),
    Route(
        "GET", "/v1/webhooks/{id}/secrets", secrets, "The live secrets of a webhook, their last characters only", TAG,
        {200: WebhookSecretBody}, scope=SCOPE, listed=True, example_answer=examples.WEBHOOK_KEY,
    ),
    Route(
        "GET", "/v1/webhooks/{id}/secret", secret, "The newest secret of a webhook; the audit log tells that it was shown",
        TAG, {200: ShownSecretBody}, scope=SCOPE,
        example_answer=examples.WEBHOOK_KEY | {"secret": examples.WEBHOOK_SECRET},
    ),
    Route(
        "POST", "/v1/webhooks/{id}/secrets", rotate, "Rotate: a new secret signs, the older ones sign along for a while",
        TAG, {201: RotatedSecretBody}, scope=SCOPE, body=RotationInput, errors=(409,),
        example={"expire_old_after_seconds": 86400},
        example_answer=examples.WEBHOOK_KEY
        | {"secret": examples.WEBHOOK_SECRET, "old_expire_at": "2026-11-24T09:30:00.125Z"},
    ),
    Route(
        "GET", "/v1/webhooks/{id}/jwks.json", key_set, "The public keys that verify `v1a` signatures; asks for no token",
        TAG, {200: KeySetBody}, public=True, content_type=_KEY_SET, example_answer=examples.WEBHOOK_KEY_SET,
    ),
    Route(
        "GET", "/v1/webhooks/{id}/health", health, "How deliveries to a webhook are going", TAG,
        {200: WebhookHealthBody}, scope=SCOPE, example_answer=examples.WEBHOOK_HEALTH,
    ),
)  # fmt: skip
