"""The twin preview: whose it is, who sees it, and that nothing of it is left."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from app.asgi import Parts, build_app
from app.settings import ROOT
from auth.partners import create_creator
from db.measures import DIMENSIONS, UNITS
from db.tables.twins import FITS, METHODS, PURPOSES
from resolvers.twin_inputs import USUAL_CONFIDENCE
from schema.build import build_schema
from schema.twins import BodyDimension, FitPreference, LengthUnit, MeasuringMethod, TwinPurpose
from tests.auth import flow
from tests.conftest import URL
from tests.contract.documents import blocks
from tests.factories import Partner, make_partner, unique
from tests.schema.creators import SCOPES, Creator, new_user, through

READ = """
query($newest: Boolean, $dimensions: [BodyDimension!], $first: Int, $after: String, $sort: MeasurementSort) {
  me {
    twinActive
    twin {
      consents { totalCount nodes { purpose policyVersion withdrawnAt } }
      measurements(newest: $newest, dimensions: $dimensions, first: $first, after: $after, sort: $sort) {
        totalCount pageInfo { hasNextPage endCursor }
        edges { cursor node { dimension value unit millimetres method confidence measuredAt } }
      }
      fitPreferences { nodes { category fit } }
      knownSizes { nodes { brand category size } }
    }
  }
}
"""
BOTH = ["MEASUREMENTS", "SIZE_ADVICE"]
NOTHING = {"twinActive": False, "twin": None}


def taken(dimension: str, value: str, unit: str = "CM", **more: Any) -> dict[str, Any]:
    return {"dimension": dimension, "value": value, "unit": unit, "method": "TAPE", **more}


async def twin_of(creator: Creator, **asked: Any) -> Any:
    return (await creator.data(READ, **asked))["me"]


async def active_over_rest(creator: Creator) -> bool:
    answer = await creator.http.get("/v1/me", headers={"authorization": f"Bearer {creator.token}"})
    return bool(answer.json()["twin_active"])


@pytest.fixture
async def creator(parts: Parts, open_client: httpx.AsyncClient, partner: Partner) -> Creator:
    return await through(parts, open_client, partner, await new_user(parts))


@pytest.fixture
async def kept(creator: Creator) -> Creator:
    """A creator with consents, three measurements, a preference and a known size."""
    await creator.done("twinConsentGive", purposes=BOTH, policyVersion="2026-11")
    measurements = [
        taken("BUST_GIRTH", "91.5", measuredAt="2026-03-01T10:00:00Z"),
        taken("BUST_GIRTH", "92.5", measuredAt="2026-09-01T10:00:00Z", confidence="0.8"),
        taken("STATURE", "66.25", "IN", method="SELF_REPORTED", measuredAt="2026-09-01T10:00:00Z"),
    ]
    await creator.done("twinMeasurementsRecord", measurements=measurements)
    preferences = [{"fit": "REGULAR"}, {"category": "Tees", "fit": "LOOSE"}]
    await creator.done("twinFitPreferencesSet", preferences=preferences)
    await creator.done("twinKnownSizesSet", sizes=[{"brand": "Norrvik", "size": "M"}])
    return creator


def test_one_set_of_words_in_every_room() -> None:
    assert [item.value for item in BodyDimension] == list(DIMENSIONS)
    assert [item.value for item in LengthUnit] == list(UNITS)
    assert [item.value for item in FitPreference] == list(FITS)
    assert {item.value for item in MeasuringMethod} == set(METHODS) == set(USUAL_CONFIDENCE)
    assert [item.value for item in TwinPurpose] == list(PURPOSES)


async def test_a_twin_reads_as_it_was_told(kept: Creator) -> None:
    me = await twin_of(kept)
    assert me["twinActive"]
    nodes = [edge["node"] for edge in me["twin"]["measurements"]["edges"]]
    assert [(n["dimension"], n["value"], n["unit"], n["millimetres"], n["confidence"]) for n in nodes] == [
        ("BUST_GIRTH", "91.5", "CM", "915.0", "0.90"), ("BUST_GIRTH", "92.5", "CM", "925.0", "0.8"),
        ("STATURE", "66.25", "IN", "1682.750", "0.70"),
    ]  # fmt: skip
    assert nodes[0]["measuredAt"] == "2026-03-01T10:00:00.000Z"
    assert me["twin"]["fitPreferences"]["nodes"] == [
        {"category": None, "fit": "REGULAR"},
        {"category": "Tees", "fit": "LOOSE"},
    ]
    assert me["twin"]["knownSizes"]["nodes"] == [{"brand": "Norrvik", "category": None, "size": "M"}]
    newest = (await twin_of(kept, newest=True, sort="MEASURED_AT_DESC"))["twin"]["measurements"]
    assert {edge["node"]["value"] for edge in newest["edges"]} == {"92.5", "66.25"}
    assert newest["totalCount"] == 2


async def test_the_same_moment_told_again_is_a_correction(kept: Creator) -> None:
    again = taken("BUST_GIRTH", "90", measuredAt="2026-03-01T10:00:00Z")
    await kept.done("twinMeasurementsRecord", measurements=[again])
    found = (await twin_of(kept, dimensions=["BUST_GIRTH"]))["twin"]["measurements"]
    assert [edge["node"]["value"] for edge in found["edges"]] == ["90", "92.5"]
    told = await kept.data("{ me { twin { measurements(first: 1) { nodes { id value } } } } }")
    wrong = told["me"]["twin"]["measurements"]["nodes"][0]
    await kept.done("twinMeasurementRemove", id=wrong["id"])
    assert (await twin_of(kept))["twin"]["measurements"]["totalCount"] == 2
    assert (await kept.does("twinMeasurementRemove", id=wrong["id"]))["userErrors"][0]["code"] == "NOT_FOUND"


async def test_what_no_body_measures_is_told_with_what_would_be_right(kept: Creator) -> None:
    wrong = [
        taken("BUST_GIRTH", "92", "MM"), taken("STATURE", "1.7", confidence="1.5"),
        taken("HIP_GIRTH", "98", measuredAt="2999-01-01T00:00:00Z"),
    ]  # fmt: skip
    errors = (await kept.does("twinMeasurementsRecord", measurements=wrong))["userErrors"]
    assert [".".join(error["field"]) for error in errors] == [
        "measurements.0.value", "measurements.1.value", "measurements.1.confidence", "measurements.2.measuredAt",
    ]  # fmt: skip
    assert "between 280 and 2300 mm (28 and 230 cm) for BUST_GIRTH; 92 mm does not" in errors[0]["message"]
    twice = [taken("HIP_GIRTH", "98"), taken("HIP_GIRTH", "99")]
    assert (await kept.does("twinMeasurementsRecord", measurements=twice))["userErrors"][0]["code"] == "DUPLICATE"
    assert (await twin_of(kept))["twin"]["measurements"]["totalCount"] == 3


async def test_nobody_else_sees_it(
    kept: Creator, parts: Parts, open_client: httpx.AsyncClient, partner: Partner
) -> None:
    """Another creator, another partner with the creator's own token, no code behind the token, everything readable."""
    elsewhere = await make_partner(parts, open_client)
    asked = f'{{ node(id: "{kept.user_id}") {{ ... on User {{ twinActive twin {{ createdAt }} }} }} }}'
    for viewer in (
        await through(parts, open_client, partner, await new_user(parts)),
        await through(parts, open_client, elsewhere, kept.user_id),
        await through(parts, open_client, partner, kept.user_id, family=None),
        await through(parts, open_client, partner, partner.user_id, family=None),
        await through(parts, open_client, partner, partner.user_id, scopes=f"platform:read {SCOPES}", family=None),
        await through(parts, open_client, elsewhere, elsewhere.user_id, scopes=f"platform:read {SCOPES}"),
    ):
        assert (await viewer.data(asked))["node"] == NOTHING
    assert (await kept.data(asked))["node"]["twinActive"]
    other = await through(parts, open_client, elsewhere, kept.user_id)
    assert await active_over_rest(kept)
    assert not await active_over_rest(other)
    await other.done("twinConsentGive", purposes=["SIZE_ADVICE"], policyVersion="1")
    assert await twin_of(other) == {"twinActive": True, "twin": None}
    refused = await other.does("twinMeasurementsRecord", measurements=[taken("HIP_GIRTH", "98")])
    assert refused["userErrors"][0]["code"] == "CONSENT_REQUIRED"
    export = (await kept.data("{ me { twin { export } } }"))["me"]["twin"]["export"]
    assert {(one["purpose"], one["client_id"]) for one in export["consents"]} == {
        ("measurements", kept.client_id), ("size_advice", kept.client_id), ("size_advice", None),
    }  # fmt: skip


async def test_a_partners_own_token_may_change_nothing(
    partner: Partner, parts: Parts, open_client: httpx.AsyncClient
) -> None:
    own = await through(parts, open_client, partner, partner.user_id, family=None)
    query = 'mutation { twinConsentGive(input: {purposes: [MEASUREMENTS], policyVersion: "1"}) { consents { id } } }'
    answer = await own.ask(query)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "authorization code" in answer["errors"][0]["message"]


async def test_consent_is_dated_versioned_and_withdrawn(kept: Creator) -> None:
    await kept.done("twinConsentGive", purposes=["MEASUREMENTS"], policyVersion="2026-11")
    assert (await twin_of(kept))["twin"]["consents"]["totalCount"] == 2
    await kept.done("twinConsentGive", purposes=["MEASUREMENTS"], policyVersion="2026-12")
    nodes = (await twin_of(kept))["twin"]["consents"]["nodes"]
    assert [(n["policyVersion"], n["withdrawnAt"] is None) for n in nodes if n["purpose"] == "MEASUREMENTS"] == [
        ("2026-11", False),
        ("2026-12", True),
    ]
    await kept.done("twinConsentWithdraw", purposes=["MEASUREMENTS"])
    assert await twin_of(kept) == {"twinActive": True, "twin": None}
    await kept.done("twinConsentWithdraw", purposes=BOTH)
    assert await twin_of(kept) == NOTHING
    assert not await active_over_rest(kept)
    await kept.done("twinConsentGive", purposes=["MEASUREMENTS"], policyVersion="2026-12")
    assert (await twin_of(kept))["twin"]["measurements"]["totalCount"] == 3


async def test_without_measurements_it_is_not_active(creator: Creator) -> None:
    await creator.done("twinConsentGive", purposes=BOTH, policyVersion="1")
    me = await twin_of(creator)
    assert (me["twinActive"], me["twin"]["measurements"]["totalCount"]) == (False, 0)
    assert not await active_over_rest(creator)


async def test_the_copy_is_complete(kept: Creator) -> None:
    export = (await kept.data("{ me { twin { export } } }"))["me"]["twin"]["export"]
    read = (await twin_of(kept))["twin"]
    assert export["user_id"] == kept.user_id
    assert [one["policy_version"] for one in export["consents"]] == ["2026-11", "2026-11"]
    assert [(one["value"], one["measured_at"]) for one in export["measurements"]] == [
        (edge["node"]["value"], edge["node"]["measuredAt"]) for edge in read["measurements"]["edges"]
    ]
    assert [one["fit"] for one in export["fit_preferences"]] == ["regular", "loose"]
    assert export["known_sizes"] == [{"brand": "Norrvik", "category": None, "size": "M"}]


async def everything(parts: Parts) -> str:
    """Every row of every table there is, as text."""
    tables = await parts.db.fetch(
        "select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name from pg_catalog.pg_class c "
        "join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'm') "
        "and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')"
    )
    rows = [await parts.db.fetch(f"select t::text as row from {table['name']} t") for table in tables]
    return "\n".join(row["row"] for found in rows for row in found)


async def fingerprints(parts: Parts, creator: Creator) -> set[bytes]:
    sql = "select fingerprint from idempotency_keys where outcome -> 'body' ->> 'id' = $1 and operation <> 'twin.erase'"
    return {row["fingerprint"] for row in await parts.db.fetch(sql, [creator.user_id])}


async def test_after_the_erasure_nothing_of_it_is_left_in_any_table(
    creator: Creator, parts: Parts, open_client: httpx.AsyncClient, other: Partner
) -> None:
    policy, brand, category, size = (unique(f"Marker{word}Quagga") for word in ("Policy", "Brand", "Category", "Size"))
    keys = [unique("key") for _ in range(6)]
    await creator.done("twinConsentGive", key=keys[0], purposes=BOTH, policyVersion=policy)
    measured = [taken("HIP_GIRTH", "97.654321"), taken("STATURE", "66.123457", "IN", confidence="0.123457")]
    await creator.done("twinMeasurementsRecord", key=keys[1], measurements=measured)
    preferences = [{"category": category, "fit": "LOOSE"}]
    await creator.done("twinFitPreferencesSet", key=keys[2], preferences=preferences)
    await creator.done("twinKnownSizesSet", key=keys[3], sizes=[{"brand": brand, "size": size}])
    second = await through(parts, open_client, other, creator.user_id)
    await second.done("twinConsentGive", key=keys[4], purposes=BOTH, policyVersion=policy)
    there = await everything(parts)
    marks = [policy, brand, category, size, "97.654321", "976.54321", "66.123457", "1679.5358078", "0.123457"]
    assert [mark for mark in marks if mark not in there] == []
    assert b"" not in await fingerprints(parts, creator)

    stranger = await through(parts, open_client, other, await new_user(parts))
    refused = await stranger.does("twinErase", twinOf=creator.user_id)
    assert refused["userErrors"][0]["code"] == "NOT_FOUND"
    await creator.done("twinConsentWithdraw", purposes=BOTH)
    for _ in range(2):  # the second is the first one's answer again
        assert (await creator.done("twinErase", key=keys[5], twinOf=creator.user_id))["erased"]
    left = await everything(parts)
    assert [mark for mark in marks if mark in left] == []
    assert await fingerprints(parts, creator) == {b""}
    for viewer in (creator, second):
        assert await twin_of(viewer) == NOTHING
    late = await creator.does("twinMeasurementsRecord", key=keys[1], measurements=measured)
    assert late["userErrors"][0]["code"] == "ERASED"
    assert await everything(parts) == left
    told = "select actor, details from audit_entries where action = 'twin.erased' and subject = $1"
    entries = await parts.db.fetch(told, [creator.user_id])
    assert [(row["actor"], row["details"]) for row in entries] == [(creator.user_id, {})]


async def test_an_erasure_and_what_is_written_meanwhile_leave_nothing(kept: Creator, parts: Parts) -> None:
    writes = [
        kept.does("twinMeasurementsRecord", measurements=[taken("HIP_GIRTH", f"9{place}.77", method="PHOTO")])
        for place in range(6)
    ]
    outcomes = await asyncio.gather(*writes[:3], kept.does("twinErase", twinOf=kept.user_id), *writes[3:])
    codes = {error["code"] for outcome in outcomes for error in outcome["userErrors"]}
    assert codes <= {"CONSENT_REQUIRED"}
    rows = await parts.db.fetch("select * from twin_measurements where user_id = $1", [kept.user_id])
    assert rows == []


async def test_a_key_of_one_creator_is_not_anothers(
    creator: Creator, parts: Parts, open_client: httpx.AsyncClient, partner: Partner
) -> None:
    key, given = unique("key"), {"purposes": BOTH, "policyVersion": "1"}
    await creator.done("twinConsentGive", key=key, **given)
    await creator.done("twinConsentGive", key=key, **given)
    second = await through(parts, open_client, partner, await new_user(parts))
    assert (await second.does("twinConsentGive", key=key, **given))["userErrors"][0]["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_without_the_scope_there_is_no_such_thing(
    kept: Creator, parts: Parts, open_client: httpx.AsyncClient, partner: Partner
) -> None:
    bare = await through(parts, open_client, partner, kept.user_id, scopes="profile:read preview:events")
    query = "{ me { twin { createdAt } } }"
    for viewer, path in ((bare, "/graphql/preview"), (kept, "/graphql")):
        answer = await viewer.ask(query, path=path)
        assert "Cannot query field 'twin' on type 'User'." in answer["errors"][0]["message"]
    assert "twin" not in build_schema(frozenset({"events"})).as_str().replace("twinActive", "").lower()


async def test_the_plan_says_what_the_executor_says_and_is_used(kept: Creator, parts: Parts, partner: Partner) -> None:
    plain = httpx.ASGITransport(build_app(replace(parts, plans=False)))
    ran = parts.metrics._executions
    first = (await twin_of(kept, first=1))["twin"]["measurements"]["pageInfo"]["endCursor"]
    asked: list[dict[str, Any]] = [
        {}, {"newest": True}, {"newest": False, "first": 2, "after": first}, {"sort": "MEASURED_AT_DESC", "first": 1},
        {"dimensions": ["STATURE", "BUST_GIRTH"], "newest": True},
    ]  # fmt: skip
    async with httpx.AsyncClient(transport=plain, base_url=URL) as executed:
        for viewer in (kept, replace(kept, token=partner.token)):
            for variables in asked:
                before = ran["planned", ""]
                planned = await viewer.ask(READ, **variables)
                assert ran["planned", ""] == before + 1
                assert planned == await replace(viewer, http=executed).ask(READ, **variables)


async def test_on_their_own_page_creators_take_it_back_have_a_copy_and_erase_it(
    app: Any, parts: Parts, open_client: httpx.AsyncClient
) -> None:
    """The whole way: the creator signs in and allows, the code becomes a token, the token is refreshed; no partner is needed
    for what the creator then does alone."""
    handle = unique("@mara")
    email = f"{handle[1:]}@studio.example"
    account = await create_creator(parts.db, handle, email=email, password=flow.PASSWORD)
    site = await flow.new_site(parts.identity, open_client)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as browser:
        mara = flow.Creator(account, email, browser)
        page = await mara.consent_page(site.link(scope="profile:read preview:twin"))
        assert "body measurements" in page.text
        code = flow.answer_of(await mara.decide(page))["code"]
        tokens = (await site.exchange(code)).json()
        creator = Creator(account.user_id, site.partner.client_id, tokens["access_token"], open_client)
        await creator.done("twinConsentGive", purposes=BOTH, policyVersion="1")
        await creator.done("twinMeasurementsRecord", measurements=[taken("HIP_GIRTH", "98")])
        refreshed = (await site.refresh(tokens["refresh_token"])).json()["access_token"]
        assert (await twin_of(replace(creator, token=refreshed)))["twinActive"]
        standing = "select count(*) from twin_consents where user_id = $1 and withdrawn_at is null"
        page = await browser.get(site.link(scope="profile:read preview:twin", prompt="consent"))
        await mara.decide(page, scopes=["profile:read"])
        assert await parts.db.fetch_value(standing, [account.user_id]) == 0
        page = await browser.get(site.link(scope="profile:read preview:twin"))
        again = (await site.exchange(flow.answer_of(await mara.decide(page))["code"])).json()["access_token"]
        assert await twin_of(replace(creator, token=again)) == NOTHING
        await replace(creator, token=again).done("twinConsentGive", purposes=BOTH, policyVersion="1")
        page = await browser.get("/oauth/consents")
        assert "1 measurement of your body is kept. These partners may use them: Lookbook." in page.text
        action, fields = flow.form_of(page.text, 1)
        page = await browser.post(action, data=fields)
        assert "No partner may use them" in page.text
        assert await parts.db.fetch_value(standing, [account.user_id]) == 0
        copy = (await browser.get("/oauth/twin")).json()
        assert [(one["dimension"], one["value"]) for one in copy["measurements"]] == [("hip_girth", "98")]
        assert {one["client_id"] for one in copy["consents"]} == {creator.client_id}
        _, fields = flow.form_of(page.text, 1)
        unsure = await browser.post("/oauth/twin/erase", data=fields)
        assert "Nothing was erased" in unsure.text
        done = await browser.post("/oauth/twin/erase", data=fields | {"sure": "yes"})
        assert "Your digital twin is erased." in done.text
        assert (await browser.get("/oauth/twin")).status_code == 404
    assert await parts.db.fetch("select 1 from twin_measurements where user_id = $1", [account.user_id]) == []
    answer = await open_client.post("/oauth/twin/erase", data={"sure": "yes"})
    assert "password" in answer.text


async def test_what_the_page_prints_works_as_printed(creator: Creator) -> None:
    """By a creator who sells too, with a tee of three sizes."""
    own: Any = {"headers": {"authorization": f"Bearer {creator.token}"}}
    shop = {"handle": unique("@shop"), "name": "Mine", "status": "active"}
    storefront = (await creator.http.post("/v1/storefronts", json=shop, **own)).json()["id"]
    listing = {
        "sku": "TEE", "title": "A tee", "price": {"amount": "29.00", "currency": "EUR"}, "status": "active",
        "category": "Tees", "variants": [{"sku": f"TEE-{size}", "options": {"size": size}} for size in "SML"],
    }  # fmt: skip
    product = (await creator.http.post(f"/v1/storefronts/{storefront}/products", json=listing, **own)).json()["id"]
    given = {"me": creator.user_id, "product": product}
    answers = []
    for text in blocks(ROOT / "docs" / "preview-twin.md", "graphql"):
        answer = await creator.data(text, **{name: value for name, value in given.items() if f"${name}:" in text})
        assert orjson.dumps(answer).count(b'"userErrors":[]') == text.count("userErrors"), answer
        answers.append(answer)
    [advice] = [answer["product"]["sizeAdvice"] for answer in answers if "product" in answer]
    assert (advice["best"]["size"], advice["best"]["variants"][0]["sku"]) == ("L", "TEE-L")
    assert (advice["runnerUp"]["size"], len(advice["best"]["dimensions"])) == ("M", 2)
    assert await twin_of(creator) == NOTHING
