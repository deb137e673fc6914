"""Webhooks as partners see them: over REST, with the engine behind."""

import asyncio

import pytest
from standardwebhooks.webhooks import Webhook

from auth.audit import entries_of
from tests.factories import make_partner
from tests.webhooks.partners import eventually
from tests.webhooks.receivers import Reply, receiving
from webhooks.policy import Schedule


async def register(partner, url="https://example.com/hooks", **more):
    body = {"url": url, "events": ["order.created", "product.updated"], **more}
    return (await partner.call("POST", "/v1/webhooks", 201, json=body)).json()


async def ended(partner, webhook, count=1):
    async def check():
        listed = (await partner.call("GET", f"/v1/webhooks/{webhook['id']}/deliveries", 200)).json()["data"]
        return listed if len(listed) >= count and all(one["finished_at"] for one in listed) else None

    return await eventually(check)


async def test_an_endpoint_is_registered_read_changed_and_removed(partner):
    made = await register(partner, description="Desk")
    assert made["secret"].startswith("whsec_")
    assert made["public_keys"][0].startswith("whpk_")
    shown = (await partner.call("GET", f"/v1/webhooks/{made['id']}", 200)).json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    listed = (await partner.call("GET", "/v1/webhooks", 200)).json()
    assert listed["data"] == [shown]
    etag = (await partner.call("GET", f"/v1/webhooks/{made['id']}", 200)).headers["etag"]
    changed = await partner.call(
        "PATCH", f"/v1/webhooks/{made['id']}", 200, json={"status": "paused", "events": ["order.created"]},
        headers={"if-match": etag},
    )  # fmt: skip
    assert changed.json() == shown | {
        "status": "paused", "events": ["order.created"], "updated_at": changed.json()["updated_at"]
    }  # fmt: skip
    await partner.call(
        "PATCH", f"/v1/webhooks/{made['id']}", 412, json={"description": "x"}, headers={"if-match": etag}
    )
    await partner.call("DELETE", f"/v1/webhooks/{made['id']}", 204)
    await partner.call("GET", f"/v1/webhooks/{made['id']}", 404)


async def test_a_repeated_registration_answers_with_the_same_secret_which_is_not_kept_in_plain(
    partner, database, a_worker
):
    body, headers = {"url": "https://example.com/", "events": ["order.created"]}, {"idempotency-key": "k1"}
    first = await partner.call("POST", "/v1/webhooks", 201, json=body, headers=headers)
    again = await partner.call("POST", "/v1/webhooks", 201, json=body, headers=headers)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    rows = await database.fetch("select outcome::text from idempotency_keys where client_id = $1", [partner.client_id])
    assert first.json()["secret"] not in str(rows)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"url": "http://10.0.0.1/"}, "/url"),
        ({"url": "ftp://example.com/"}, "/url"),
        ({"url": "https://user@example.com/"}, "/url"),
        ({"url": 7}, "/url"),
        ({"events": []}, "/events"),
        ({"events": ["order.lost"]}, "/events/0"),
        ({"events": ["order.created", "order.created"]}, "/events"),
        ({"storefront_ids": ["sf_01JD3T8Q5YB9N7K0V2M4XWZC6R"]}, "/storefront_ids/0"),
        ({"concurrency": 0}, "/concurrency"),
        ({"rate_limit": 10**9}, "/rate_limit"),
        ({"status": "disabled"}, "/status"),
        ({"description": "a\0b"}, "/description"),
        ({"nonsense": 1}, "/nonsense"),
    ],
)
async def test_what_is_wrong_is_named(partner, change, pointer):
    body = {"url": "https://example.com/", "events": ["order.created"], **change}
    answer = await partner.call("POST", "/v1/webhooks", 422, json=body)
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


async def test_another_partner_sees_nothing(partner, other):
    made = await register(partner)
    assert (await other.call("GET", "/v1/webhooks", 200)).json()["data"] == []
    path = f"/v1/webhooks/{made['id']}"
    for method, where in (
        ("GET", path), ("DELETE", path), ("GET", f"{path}/deliveries"), ("GET", f"{path}/secrets"), ("GET", f"{path}/health"),
        ("GET", f"{path}/secret"),
    ):  # fmt: skip
        await other.call(method, where, 404)
    since = {"since": "2099-01-01T00:00:00Z"}
    for where, body in (("recover", since), ("replay", since), ("test", {}), ("secrets", {})):
        await other.call("POST", f"{path}/{where}", 404, json=body)
    await other.call("PATCH", path, 404, json={"description": "mine"})


async def test_without_the_scope_nothing_is_done(api):
    reader = await make_partner(*api, scopes="storefronts:read")
    for path in ("/v1/webhooks", "/v1/events"):
        answer = await reader.call("GET", path, 403)
        assert answer.json()["required_scope"] == "webhooks:manage"


async def test_a_listing_of_a_partner_arrives_at_its_endpoint_as_rest_tells_it(partner, database, a_worker):
    async with receiving() as receiver, a_worker(database):
        made = await register(partner, receiver.url)
        storefront = await partner.storefront()
        product = await partner.product(storefront)
        [received] = await receiver.wait(1)
        told = Webhook(made["secret"]).verify(received.body, received.headers)
        assert told["type"] == "product.updated"
        assert told["data"] == (await partner.call("GET", f"/v1/products/{product['id']}", 200)).json()
        [delivery] = await ended(partner, made)
    assert (delivery["status"], delivery["event_id"]) == ("delivered", told["id"])
    [attempt] = delivery["attempts"]
    assert (attempt["outcome"], attempt["status"], attempt["response_body"]) == ("delivered", 200, "ok")
    assert attempt["request_headers"]["webhook-id"] == told["id"]
    path = f"/v1/webhooks/{made['id']}/deliveries/{delivery['id']}"
    assert (await partner.call("GET", path, 200)).json() == delivery


async def test_only_the_chosen_storefronts_are_told_of(partner, database, a_worker):
    async with receiving() as receiver, a_worker(database):
        chosen, unchosen = await partner.storefront(), await partner.storefront()
        await register(partner, receiver.url, storefront_ids=[chosen["id"]])
        await partner.product(unchosen)
        product = await partner.product(chosen)
        await receiver.wait(1)
        await asyncio.sleep(0.1)
    assert [one.event["data"]["id"] for one in receiver.received] == [product["id"]]


async def test_secrets_are_rotated_and_both_verify_meanwhile(partner, database, a_worker):
    async with receiving() as receiver, a_worker(database):
        made = await register(partner, receiver.url)
        path = f"/v1/webhooks/{made['id']}/secrets"
        rotated = (await partner.call("POST", path, 201, json={"expire_old_after_seconds": 3600})).json()
        live = (await partner.call("GET", path, 200)).json()["data"]
        assert [one["hint"][-4:] for one in live] == [rotated["secret"][-4:], made["secret"][-4:]]
        assert [one["expires_at"] is None for one in live] == [True, False]
        assert "secret" not in live[0]
        await partner.call("POST", f"/v1/webhooks/{made['id']}/test", 202, json={})
        [received] = await receiver.wait(1)
        for secret in (made["secret"], rotated["secret"]):
            Webhook(secret).verify(received.body, received.headers)
        only = (await partner.call("POST", path, 201, json={"expire_old_after_seconds": 0})).json()
        assert len((await partner.call("GET", path, 200)).json()["data"]) == 1
        await partner.call("POST", f"/v1/webhooks/{made['id']}/test", 202, json={"event_type": "order.created"})
        received = (await receiver.wait(2))[1]
        assert len(received.headers["webhook-signature"].split()) == 2
        Webhook(only["secret"]).verify(received.body, received.headers)


async def test_the_newest_secret_is_shown_again_to_its_owner_and_that_is_written_down(partner, other, api):
    made = await register(partner)
    path = f"/v1/webhooks/{made['id']}"
    assert (await partner.call("GET", f"{path}/secret", 200)).json()["secret"] == made["secret"]
    rotated = (await partner.call("POST", f"{path}/secrets", 201, json={})).json()
    query = "query($id: ID!) { webhookSecret(id: $id) }"
    assert (await partner.data(query, id=made["id"])) == {"webhookSecret": rotated["secret"]}
    entries = await entries_of(api[0].db, partner.organization_id)
    shown = [one["details"]["secret"] for one in entries if one["action"] == "webhook.secret_shown"]
    assert (len(shown), shown[1]) == (2, rotated["id"])
    reader = await make_partner(*api, scopes="webhooks:manage platform:read")
    await reader.call("GET", f"{path}/secret", 403)
    assert (await reader.graphql(query, id=made["id"]))["data"] == {"webhookSecret": None}


async def test_graphql_tells_of_a_webhook_what_rest_does(partner):
    made = await register(partner)
    path = f"/v1/webhooks/{made['id']}"
    query = """query($id: ID!) {
      webhookSecrets(id: $id) { id hint publicKey createdAt expiresAt }
      webhookHealth(id: $id) { failingSince backlog oldestAt attempts firstAttemptMs { p50 p95 p99 } notices { id kind message createdAt }
      }
      webhookEventTypes { name group version description schema example }
    }"""
    await partner.call("POST", f"{path}/secrets", 201, json={})
    told = await partner.data(query, id=made["id"])
    secrets = (await partner.call("GET", f"{path}/secrets", 200)).json()["data"]
    assert [list(one.values()) for one in told["webhookSecrets"]] == [list(one.values()) for one in secrets]
    health = (await partner.call("GET", f"{path}/health", 200)).json()
    assert list(told["webhookHealth"].values())[1:4] == [health["backlog"], health["oldest_at"], health["attempts"]]
    assert [one["kind"] for one in told["webhookHealth"]["notices"]] == ["secret_rotated"]
    assert told["webhookEventTypes"] == (await partner.call("GET", "/v1/events/types", 200)).json()["data"]


async def test_failed_deliveries_are_resent_recovered_and_replayed(partner, database, a_worker):
    async with receiving(lambda _: Reply(500)) as receiver, a_worker(database, schedule=Schedule((0,))):
        made = await register(partner, receiver.url)
        storefront = await partner.storefront()
        for _ in range(3):
            await partner.product(storefront)
        failed = await ended(partner, made, 3)
        assert {one["status"] for one in failed} == {"failed"}
        receiver.behave = lambda _: Reply()
        path = f"/v1/webhooks/{made['id']}"
        await partner.call("POST", f"{path}/deliveries/{failed[0]['id']}/resend", 202)
        [again] = [one for one in await ended(partner, made, 3) if one["id"] == failed[0]["id"]]
        assert [one["status"] for one in again["attempts"]] == [500, 200]
        since = {"since": made["created_at"]}
        assert (await partner.call("POST", f"{path}/recover", 202, json=since)).json() == {"count": 2}
        assert {one["status"] for one in await ended(partner, made, 3)} == {"delivered"}
        seen = len(receiver.received)
        assert (await partner.call("POST", f"{path}/replay", 202, json=since)).json() == {"count": 3}
        await receiver.wait(seen + 3)
        everything = await ended(partner, made, 6)
    assert [one["cause"] for one in everything].count("replay") == 3
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 3
    answer = await partner.call("POST", f"{path}/recover", 422, json={"since": "2020-01-01T00:00:00Z"})
    assert answer.json()["errors"][0]["pointer"] == "/since"


async def test_a_disabled_webhook_is_not_sent_to_until_it_is_enabled(partner, database, a_worker):
    made = await register(partner)
    path = f"/v1/webhooks/{made['id']}"
    await database.fetch(
        "update webhook_endpoints set status = 'disabled', status_reason = 'it was gone' where id = $1", [made["id"]]
    )
    assert (await partner.call("POST", f"{path}/test", 409, json={})).json()["code"] == "webhook_disabled"
    enabled = (await partner.call("PATCH", path, 200, json={"status": "enabled"})).json()
    assert (enabled["status"], enabled["status_reason"]) == ("enabled", None)
    health = (await partner.call("GET", f"{path}/health", 200)).json()
    assert [notice["kind"] for notice in health["notices"]] == ["enabled"]


async def test_health_counts_what_was_tried(partner, database, a_worker):
    async with receiving() as receiver, a_worker(database):
        made = await register(partner, receiver.url)
        storefront = await partner.storefront()
        await partner.product(storefront)
        await ended(partner, made)
        health = (await partner.call("GET", f"/v1/webhooks/{made['id']}/health", 200)).json()
    assert (health["backlog"], health["oldest_at"], health["attempts"]) == (0, None, {"delivered": 1})
    assert 0 <= health["first_attempt_ms"]["p50"] < 5000


async def test_the_log_is_read_on_from_where_one_stopped(partner, other, database, a_worker):
    async with a_worker(database):
        storefront = await partner.storefront()
        products = [await partner.product(storefront) for _ in range(5)]
        await other.product(await other.storefront())

        async def told():
            return len((await partner.call("GET", "/v1/events", 200)).json()["data"]) == 5

        await eventually(told)
        first = (await partner.call("GET", "/v1/events?limit=3", 200)).json()
        rest = (await partner.call("GET", f"/v1/events?limit=3&cursor={first['next_cursor']}", 200)).json()
        assert (first["has_more"], rest["has_more"]) == (True, False)
        assert [one["resource"]["id"] for one in first["data"] + rest["data"]] == [one["id"] for one in products]
        nothing = (await partner.call("GET", f"/v1/events?cursor={rest['next_cursor']}", 200)).json()
        assert (nothing["data"], nothing["next_cursor"]) == ([], rest["next_cursor"])
        waiting = asyncio.create_task(partner.call("GET", f"/v1/events?wait=10&cursor={rest['next_cursor']}", 200))
        await asyncio.sleep(0.1)
        late = await partner.product(storefront)
        assert [one["data"]["id"] for one in (await waiting).json()["data"]] == [late["id"]]
    assert (await partner.call("GET", "/v1/events?type=order.created", 200)).json()["data"] == []
    await partner.call("GET", "/v1/events?type=order.lost", 422)
    await partner.call("GET", "/v1/events?cursor=nonsense", 422)


async def test_the_catalogue_has_a_schema_and_an_example_of_each_type(partner):
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

    listed = (await partner.call("GET", "/v1/events/types", 200)).json()["data"]
    for kind in listed:
        Draft202012Validator.check_schema(kind["schema"])
        Draft202012Validator(kind["schema"]).validate(kind["example"])
        assert kind["example"]["type"] == kind["name"]


async def test_graphql_does_the_same(partner, other, database, a_worker):
    async with receiving() as receiver, a_worker(database):
        created = await partner.data(
            """mutation($url: String!) { webhookCreate(input: {url: $url, events: ["product.updated"]}) {
                 secret webhook { id url status events publicKeys } userErrors { field message code } } }""",
            url=receiver.url,
        )
        made = created["webhookCreate"]
        assert made["userErrors"] == []
        shown = (await partner.call("GET", f"/v1/webhooks/{made['webhook']['id']}", 200)).json()
        assert made["webhook"] == {
            "id": shown["id"], "url": shown["url"], "status": "ENABLED", "events": shown["events"],
            "publicKeys": shown["public_keys"],
        }  # fmt: skip
        await partner.product(await partner.storefront())
        await ended(partner, shown)
        listed = await partner.data(
            """{ webhooks(first: 5) { totalCount nodes { id deliveries(first: 5, filter: {status: DELIVERED}) {
                 totalCount nodes { id status type attemptsMade
                   attempts { nodes { number outcome status responseBody requestHeaders } } } } } } }"""
        )
        [node] = listed["webhooks"]["nodes"]
        [delivery] = node["deliveries"]["nodes"]
        [rest] = (await partner.call("GET", f"/v1/webhooks/{shown['id']}/deliveries", 200)).json()["data"]
        assert (delivery["id"], delivery["status"], delivery["attemptsMade"]) == (rest["id"], "DELIVERED", 1)
        [attempt] = delivery["attempts"]["nodes"]
        assert attempt == {
            "number": 1, "outcome": "delivered", "status": 200, "responseBody": "ok",
            "requestHeaders": rest["attempts"][0]["request_headers"],
        }  # fmt: skip
        variables = {"id": shown["id"], "delivery": rest["id"]}
        again = await partner.data(
            """mutation($id: ID!, $delivery: ID!) {
                 webhookDeliveryResend(input: {id: $id, deliveryId: $delivery}) { deliveryId userErrors { code } } }""",
            **variables,
        )
        assert again["webhookDeliveryResend"] == {"deliveryId": rest["id"], "userErrors": []}
        await receiver.wait(2)
        await ended(partner, shown)
        many = await partner.data(
            """mutation($id: ID!, $since: DateTime!) {
                 webhookRecover(input: {id: $id, since: $since}) { count }
                 webhookReplay(input: {id: $id, since: $since}) { count }
                 webhookSecretRotate(input: {id: $id}) { secret webhook { publicKeys } }
                 webhookTest(input: {id: $id}) { deliveryId }
                 webhookUpdate(input: {id: $id, status: PAUSED}) { webhook { status } } }""",
            id=shown["id"], since=shown["created_at"],
        )  # fmt: skip
        assert (many["webhookRecover"], many["webhookReplay"]) == ({"count": 0}, {"count": 1})
        assert many["webhookSecretRotate"]["secret"].startswith("whsec_")
        assert len(many["webhookSecretRotate"]["webhook"]["publicKeys"]) == 2
        assert many["webhookTest"]["deliveryId"].startswith("dlv_")
        assert many["webhookUpdate"] == {"webhook": {"status": "PAUSED"}}
    seen = await other.data("query($id: ID!) { webhook(id: $id) { id } node(id: $id) { id } }", id=shown["id"])
    assert seen == {"webhook": None, "node": None}
    gone = await partner.data(
        "mutation($id: ID!) { webhookDelete(input: {id: $id}) { deletedId userErrors { code } } }", id=shown["id"]
    )
    assert gone["webhookDelete"] == {"deletedId": shown["id"], "userErrors": []}
    wrong = await partner.data(
        """mutation { webhookCreate(input: {url: "http://10.0.0.1/", events: ["x"]}) {
             webhook { id } secret userErrors { field code } } }"""
    )
    assert wrong["webhookCreate"]["webhook"] is None
    assert [fault["field"] for fault in wrong["webhookCreate"]["userErrors"]] == [["events", "0"]]
