"""All seven types are really emitted by the acts that cause them, and are what the catalogue says."""

import asyncio
import re
import sys
import threading

import pytest
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]
from standardwebhooks.webhooks import Webhook

from app.cli.events import context_of
from app.listening import Listener
from app.triggers import EVENT_TYPES, trigger
from rest_facade.openapi import document
from tests.webhooks.receivers import receiving
from webhooks.events import CATALOGUE
from webhooks.signing import new_key, secret_text

# Where REST answers the same thing that an event carries.
TOLD_BY_REST = {
    "order.created": "/v1/orders/{id}",
    "order.fulfilled": "/v1/orders/{id}",
    "product.updated": "/v1/products/{id}",
    "design.published": "/v1/assets/{id}",
    "tryon.session.created": "/v1/tryon/sessions/{id}",
}


def test_every_type_of_the_catalogue_can_be_triggered():
    assert set(EVENT_TYPES) == set(CATALOGUE)


@pytest.mark.parametrize("kind", EVENT_TYPES)
async def test_a_real_act_is_told_as_the_catalogue_says(api, partner, database, a_worker, kind):
    types = (await partner.call("GET", "/v1/events/types", 200)).json()["data"]
    [schema] = [one["schema"] for one in types if one["name"] == kind]
    async with receiving() as receiver, a_worker(database):
        body = {"url": receiver.url, "events": [kind]}
        made = (await partner.call("POST", "/v1/webhooks", 201, json=body)).json()
        await trigger(await context_of(api[0], partner.client_id), kind)
        [received] = await receiver.wait(1)
        told = Webhook(made["secret"]).verify(received.body, received.headers)
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(told)
    assert told["type"] == kind
    assert told["resource"]["sequence"] >= 1
    assert set(told["data"]) >= set(schema["properties"]["data"]["required"])
    if kind in TOLD_BY_REST:
        rest = (await partner.call("GET", TOLD_BY_REST[kind].format(**told["data"]), 200)).json()
        assert rest == told["data"]


async def test_a_listener_forwards_what_happens_signed(api, partner, live_api, database, a_worker):
    key, lines = new_key(), list[str]()
    async with receiving() as laptop, a_worker(database):
        listener = Listener(live_api, partner.token, laptop.url, key, lines.append)
        thread = threading.Thread(target=lambda: listener.run(most=3), daemon=True)
        thread.start()
        await asyncio.sleep(0.3)
        await trigger(await context_of(api[0], partner.client_id), "order.created")
        received = await laptop.wait(3)
        await asyncio.to_thread(thread.join, 10)
    assert not thread.is_alive()
    for one in received:
        assert Webhook(secret_text(key.secret)).verify(one.body, one.headers)["id"] == one.headers["webhook-id"]
    # The listing was made, then an order was placed, which took of its stock.
    assert sorted(line.split()[0] for line in lines) == ["order.created", "product.updated", "product.updated"]
    assert {line.split()[-1] for line in lines} == {"200"}


async def test_a_listener_that_may_not_read_says_so_and_ends(live_api):
    command = [
        sys.executable,
        "-m",
        "app",
        "listen",
        "--forward-to",
        "http://127.0.0.1:9",
        "--token",
        "x",
        "--api",
        live_api,
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)
    out, err = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, b"whsec_" in out) == (1, True)
    assert re.fullmatch(rb"http://\S+ does not let you listen: .*token.*\n", err), err


def test_openapi_tells_what_is_posted():
    post = document(url="http://x.example", version="1.0.0")["paths"]["/v1/webhooks"]["post"]
    assert set(CATALOGUE) <= set(post["callbacks"])
    told = post["callbacks"]["order.created"]["{$request.body#/url}"]["post"]
    assert told["requestBody"]["content"]["application/json"]["schema"]["allOf"][1]["properties"]["data"] == {
        "$ref": "#/components/schemas/OrderBody"
    }
