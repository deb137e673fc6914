"""The deprecation clock of GraphQL, over HTTP: what a query used that will end is told with its answer, and only then."""

from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest
from graphql import get_introspection_query, graphql_sync

import app.asgi
from app.asgi import Parts, build_app
from schema.build import build_schema
from tests.factories import Partner, make_partner
from tests.schema.ending import day, ending

ENDS = {
    "Product.title": "Product.name",
    "Query.products(sort:)": "the order of the pages",
    "ProductFilter.status": "ProductFilter.statuses",
    "ProductStatus.ARCHIVED": "ProductStatus.GONE",
}


@pytest.fixture(params=["on", "off"], ids=["planned", "executed"])
async def told(request, parts: Parts, monkeypatch):
    """A partner of an application whose schema has something deprecated of every kind."""
    stack = ExitStack()
    schema = stack.enter_context(ending(ENDS))
    monkeypatch.setattr(app.asgi, "build_schema", lambda previews: schema if not previews else build_schema(previews))
    made = build_app(replace(parts, plans=request.param == "on"))
    with stack:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url="http://testserver.example")
        async with client:
            yield await make_partner(parts, client)


async def used(partner: Partner, query: str, /, **variables) -> list[str]:
    answer = await partner.graphql(query, **variables)
    assert "errors" not in answer, answer
    return [one["coordinate"] for one in answer["extensions"].get("deprecations", [])]


async def test_a_field_is_told_with_what_replaces_it_and_the_days_that_are_left(told: Partner) -> None:
    product = await told.product(await told.storefront())
    answer = await told.graphql("query($id: ID!) { product(id: $id) { id title } }", id=product["id"])
    assert answer["data"]["product"]["title"] == "A tee"
    [notice] = answer["extensions"]["deprecations"]
    assert notice == {
        "coordinate": "Product.title", "replacement": "Product.name", "sunset": day(100).isoformat(), "daysLeft": 100,
    }  # fmt: skip
    assert answer["extensions"]["cost"]["requested"] > 0


async def test_a_stream_of_events_tells_it_too(told: Partner) -> None:
    headers = {"accept": "text/event-stream"}
    answer = await told.call(
        "POST", "/graphql", 200, headers=headers, json={"query": "{ products { nodes { title } } }"}
    )
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert '"deprecations":[{"coordinate":"Product.title"' in answer.text


async def test_what_uses_nothing_of_it_is_told_nothing(told: Partner) -> None:
    answer = await told.graphql("{ me { id handle } products(first: 1) { nodes { id status } } }")
    assert set(answer["extensions"]) == {"cost"}


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        ("{ products(first: 1, sort: CREATED_AT_DESC) { totalCount } }", {}, ["Query.products(sort:)"]),
        ("{ products(first: 1) { nodes { ...a } } } fragment a on Product { title }", {}, ["Product.title"]),
        ("{ products(filter: {status: ACTIVE}) { totalCount } }", {}, ["ProductFilter.status"]),
        (
            "query($s: ProductStatus) { products(filter: {status: $s}) { totalCount } }", {"s": "ARCHIVED"},
            ["ProductFilter.status", "ProductStatus.ARCHIVED"],
        ),
        ("query($f: ProductFilter) { products(filter: $f) { totalCount } }", {"f": {}}, []),
        (
            "query($f: ProductFilter) { products(filter: $f) { totalCount } }", {"f": {"status": "ARCHIVED"}},
            ["ProductFilter.status", "ProductStatus.ARCHIVED"],
        ),
        ("query a { me { id } } query b { products { nodes { title } } }", {"operationName": "a"}, []),
    ],
)  # fmt: skip
async def test_every_kind_of_use_counts_and_nothing_else(told: Partner, query, variables, expected) -> None:
    body = {"query": query, "variables": variables, "operationName": variables.get("operationName")}
    answer = (await told.call("POST", "/graphql", 200, json=body)).json()
    assert "errors" not in answer, answer
    assert [one["coordinate"] for one in answer["extensions"].get("deprecations", [])] == expected


def test_introspection_and_sdl_tell_the_end() -> None:
    with ending({"Product.title": "Product.name"}) as schema:
        asked = '{ __type(name: "Product") { fields(includeDeprecated: true) { name deprecationReason } } }'
        told = graphql_sync(schema._schema, asked).data
        assert told is not None
        fields = told["__type"]["fields"]
        reasons = {field["name"]: field["deprecationReason"] for field in fields if field["deprecationReason"]}
        assert reasons == {"title": f"Use Product.name; this may be gone from {day(100)}."}
        assert f'@sunset(since: "{day(-10)}", on: "{day(100)}", replacement: "Product.name")' in schema.as_str()


def test_a_notice_of_less_than_ninety_days_is_no_notice() -> None:
    from schema.deprecations import deprecated

    with pytest.raises(ValueError, match="less than 90 days"):
        deprecated(since=day(0), sunset=day(89), replacement="Product.name")
    with pytest.raises(ValueError, match="names what replaces it"):
        deprecated(since=day(0), sunset=day(90), replacement="")


def test_the_end_of_a_hidden_preview_is_hidden_with_it() -> None:
    opened = frozenset({"events"})
    with ending({"Event.sequence": "Event.id"}, opened) as schema:
        assert "@sunset" in schema.as_str()
        stable = build_schema.__wrapped__()
        told = str(graphql_sync(stable._schema, get_introspection_query(input_value_deprecation=True)).data)
        assert "sunset" not in told
        assert stable.as_str() == build_schema().as_str()
        errors = graphql_sync(stable._schema, "{ node(id: 1) { ... on Event { id } } }").errors or []
        assert [error.message.split(" Did")[0] for error in errors] == ["Unknown type 'Event'."]
