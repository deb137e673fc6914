"""Refresh tokens: rotation, reuse, grace and races, against a model."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from auth.oauth.endpoints import routes
from tests.auth.flow import new_creator, new_site


@pytest.fixture(scope="module")
async def creator(identity):
    found = await new_creator(identity, Starlette(routes=routes(identity)))
    yield found
    await found.browser.aclose()


@pytest.fixture
async def site(identity, http):
    return await new_site(identity, http)


async def first(site, creator):
    return (await site.exchange(await creator.allow(site))).json()["refresh_token"]


async def test_each_use_gives_a_new_token(site, creator):
    token = await first(site, creator)
    seen = {token}
    for _ in range(4):
        answer = await site.refresh(token)
        assert answer.status_code == 200, answer.text
        token = answer.json()["refresh_token"]
        assert token not in seen
        seen.add(token)


async def test_a_lost_answer_is_given_again(site, creator):
    token = await first(site, creator)
    one, again = (await site.refresh(token)).json(), (await site.refresh(token)).json()
    assert one["refresh_token"] == again["refresh_token"]
    assert one["access_token"] != again["access_token"]


async def test_the_grace_ends(db, site, creator):
    token = await first(site, creator)
    await site.refresh(token)
    await db.fetch(
        "update refresh_tokens set replaced_at = replaced_at - interval '31 s' where replaced_at is not null"
    )
    assert (await site.refresh(token)).json()["error"] == "invalid_grant"


async def test_scopes_narrow_for_one_token_and_never_widen(site, creator):
    token = await first(site, creator)
    narrow = (await site.refresh(token, scope="profile:read")).json()
    assert narrow["scope"] == "profile:read"
    assert (await site.refresh(narrow["refresh_token"])).json()["scope"] == "profile:read storefronts:read"
    assert (await site.refresh(narrow["refresh_token"], scope="orders:read")).json()["error"] == "invalid_scope"


async def test_tokens_expire_and_belong_to_their_client(db, identity, http, site, creator):
    token = await first(site, creator)
    stranger = await new_site(identity, http)
    assert (await stranger.refresh(token)).json()["error"] == "invalid_grant"
    assert (await site.refresh("fsr_test_nonsense")).json()["error"] == "invalid_grant"
    assert (await site.post(grant_type="refresh_token")).json()["error"] == "invalid_request"
    await db.fetch("update refresh_tokens set expires_at = now() - interval '1 s'")
    assert (await site.refresh(token)).json()["error"] == "invalid_grant"


async def test_many_refreshes_at_once_make_one_lineage(db, site, creator):
    token = await first(site, creator)
    for _ in range(3):
        answers = await asyncio.gather(*(site.refresh(token) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {200}
        successors = {answer.json()["refresh_token"] for answer in answers}
        assert len(successors) == 1
        token = successors.pop()
    rows = await db.fetch(
        "select r.generation from refresh_tokens r join authorizations a on a.id = r.authorization_id "
        "where a.client_id = $1 order by 1",
        (site.partner.client_id,),
    )
    assert [row["generation"] for row in rows] == [0, 1, 2, 3]


class Model:
    """What must happen: the newest and, within the grace, the one before it are taken; anything older ends the family."""

    def __init__(self, token):
        self.chain, self.live = [token], True

    def expect(self, place):
        newest = len(self.chain) - 1
        if not self.live:
            return None
        if place == newest:
            return newest + 1
        if place == newest - 1:
            return newest
        self.live = False
        return None


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=8))
async def test_any_course_of_refreshes_is_as_the_model_says(identity, http, creator, steps):
    """Each step sends some tokens at once, counted back from the newest. At once, the order is the database's to choose:
    whatever it chose must be one that the model allows."""
    site = await new_site(identity, http)
    model = Model(await first(site, creator))
    for step in steps:
        places = [max(0, len(model.chain) - 1 - back) for back in step]
        if len(set(places)) > 1:
            places = places[:1]
        answers = await asyncio.gather(*(site.refresh(model.chain[place]) for place in places))
        for place, answer in zip(places, answers, strict=True):
            expected = model.expect(place)
            if expected is None:
                assert answer.json()["error"] == "invalid_grant"
                continue
            token = answer.json()["refresh_token"]
            if expected == len(model.chain):
                model.chain.append(token)
            assert token == model.chain[expected]
