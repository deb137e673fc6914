"""The deprecation clock of REST: headers where a request used something that will end, and nowhere else."""

from dataclasses import replace
from datetime import UTC, datetime, time
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

import httpx
import pytest
from pydantic import create_model

import app.asgi
from app.asgi import Parts, build_app
from db.bodies.users import MeBody
from db.deprecation import Deprecation
from resolvers.product_inputs import ProductInput
from rest_facade.route import Route
from rest_facade.routes import ROUTES
from tests.factories import Partner, make_partner
from tests.schema.ending import day

MARK = Deprecation(day(-10), day(100), "`title`")


def ending(route: Route) -> Route:
    """Some of the real routes with an end: a whole one, a parameter, a place of a body, a place of an answer."""

    def with_end(model: Any, name: str) -> Any:
        field = model.model_fields[name]
        fields: Any = {name: (Annotated[field.annotation, MARK], field)}
        return create_model(model.__name__, __base__=model, **fields)

    match route.method, route.path:
        case "GET", "/v1/events/types":
            return replace(route, deprecated=MARK)
        case "GET", "/v1/storefronts/{id}/products":
            return replace(route, query=with_end(route.query, "sku"))
        case "POST", "/v1/storefronts/{id}/products":
            return replace(route, body=with_end(ProductInput, "category"))
        case "GET", "/v1/me":
            return replace(route, answers={200: with_end(MeBody, "display_name")})
    return route


@pytest.fixture
async def told(parts: Parts, monkeypatch):
    """A partner of an application in whose routes something ends."""
    monkeypatch.setattr(app.asgi, "ROUTES", tuple(map(ending, ROUTES)))
    transport = httpx.ASGITransport(build_app(parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver.example") as client:
        yield await make_partner(parts, client)


def notice(answer: httpx.Response) -> tuple[str, str, str]:
    return tuple(answer.headers.get(name, "") for name in ("deprecation", "sunset", "link"))


async def test_a_route_tells_since_when_until_when_and_where_to_read_on(told: Partner) -> None:
    since, until, link = notice(await told.call("GET", "/v1/events/types", 200))
    midnight = datetime.combine(MARK.since, time(), UTC)
    assert since == f"@{int(midnight.timestamp())}"
    assert until.endswith("GMT")
    assert parsedate_to_datetime(until).date() == MARK.sunset
    assert link == '<http://testserver.example/v1/schema/changes>; rel="deprecation"; type="application/json"'


async def test_only_the_requests_that_used_it_are_told(told: Partner) -> None:
    storefront = await told.storefront()
    path = f"/v1/storefronts/{storefront['id']}/products"
    assert notice(await told.call("GET", path, 200)) == ("", "", "")
    assert all(notice(await told.call("GET", f"{path}?sku=A", 200)))
    body = {"sku": "A", "title": "A", "price": {"amount": "1.00", "currency": "EUR"}}
    assert notice(await told.call("POST", path, 201, json=body)) == ("", "", "")
    assert all(notice(await told.call("POST", path, 200, json={**body, "category": "Tees"})))
    assert all(notice(await told.call("POST", path, 422, json={"category": "Tees"})))


async def test_of_an_answers_field_the_link_alone_is_told(told: Partner) -> None:
    since, until, link = notice(await told.call("GET", "/v1/me", 200))
    assert (since, until) == ("", "")
    assert 'rel="deprecation"' in link
