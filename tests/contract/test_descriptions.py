"""OpenAPI and Postman, as clients fetch them and as the command line prints them."""

import asyncio
import re

import orjson
import pytest
from openapi_spec_validator import validate
from sqlalchemy import text
from typer.testing import CliRunner

from app.cli import build
from rest_facade.openapi import document
from rest_facade.postman import NOUNS, SCHEMA, collection
from rest_facade.routes import ROUTES


@pytest.fixture(scope="module")
def openapi():
    return document(url="https://api.example.com", version="1.2.3")


@pytest.fixture(scope="module")
def postman(openapi):
    return collection(openapi)


def requests_of(items):
    """Every request of a collection, from its folders too."""
    for item in items:
        yield from requests_of(item["item"]) if "item" in item else [item]


def filled(text, variables):
    """A text with the collection's variables in it; one that the collection does not declare is an error."""
    return re.sub(r"{{(\w+)}}", lambda name: variables[name[1]], text)


def test_openapi_is_valid_and_names_each_operation_once(openapi):
    validate(openapi)
    names = [one["operationId"] for methods in openapi["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names)) == len(ROUTES)


def test_each_operation_has_examples_of_what_it_takes_and_answers(openapi):
    for methods in openapi["paths"].values():
        for operation in methods.values():
            contents = [operation.get("requestBody", {}).get("content", {})]
            contents += [answer.get("content", {}) for answer in operation["responses"].values()]
            for media_type, content in ((kind, told) for found in contents for kind, told in found.items()):
                if media_type == "application/json":
                    assert content.get("example") is not None, operation["operationId"]


def test_the_collection_has_every_operation_once_and_declares_its_variables(openapi, postman):
    assert postman["info"]["schema"] == SCHEMA
    declared = {one["key"] for one in postman["variable"]}
    assert set(re.findall(r"{{(\w+)}}", orjson.dumps(postman["item"]).decode())) <= declared
    asked = {(one["request"]["method"], one["request"]["url"]["raw"]) for one in requests_of(postman["item"])}
    assert len(asked) == len(ROUTES) + 2  # a token, and GraphQL
    paths = {(method, re.sub(r":(\w+)", r"{\1}", url.split("?")[0])) for method, url in asked}
    assert {(route.method, "{{base_url}}" + route.path) for route in ROUTES} <= paths


async def test_the_requests_of_the_collection_work_from_a_token_on(open_client, partner, postman, db):
    """What Postman would send for a first look: a token, then creating, listing and reading with the ids it kept."""
    async with db.write() as session:  # the examples' handle, where another test of this process has taken it
        await session.exec(text("update storefronts set handle = '@freed.' || lower(id) where handle = '@yourbrand'"))
    variables = {one["key"]: one["value"] for one in postman["variable"]}
    variables |= {"client_id": partner.client_id, "client_secret": partner.client_secret, "base_url": ""}
    seen: dict[str, int] = {}
    for item in requests_of(postman["item"]):
        request = item["request"]
        names = {one["key"]: filled(one["value"], variables) for one in request["url"].get("variable", [])}
        url = filled(request["url"]["raw"], variables)
        for name, value in names.items():
            url = url.replace(f":{name}", value)
        headers = {one["key"]: one["value"] for one in request["header"] if not one.get("disabled")}
        headers |= {} if "auth" in request else {"Authorization": f"Bearer {variables['access_token']}"}
        if request.get("body", {}).get("mode") == "formdata" or not all(names.values()) or "/a/" in url:
            continue
        answer = await open_client.request(
            request["method"], url, content=_body(request.get("body"), variables), headers=headers
        )
        assert answer.status_code < 500, answer.text
        seen[f"{request['method']} {request['url']['raw'].removeprefix('{{base_url}}').split('?')[0]}"] = (
            answer.status_code
        )
        _keep(answer, variables)
    good = {name for name, status in seen.items() if status < 300}
    assert {
        "POST /oauth/token", "GET /v1/me", "POST /v1/storefronts", "GET /v1/inventory", "POST /graphql",
        "POST /v1/storefronts/:id/products", "GET /v1/products/:id", "POST /v1/webhooks", "GET /v1/webhooks/:id",
    } <= good, seen  # fmt: skip


def _body(body, variables):
    if body is None:
        return None
    if body["mode"] == "graphql":
        asked = body["graphql"]
        return orjson.dumps({"query": asked["query"], "variables": orjson.loads(asked["variables"])})
    return filled(body["raw"], variables).encode()


def _keep(answer, variables):
    """What the collection's scripts do."""
    if "json" not in answer.headers.get("content-type", "") or answer.status_code >= 300:
        return
    body = answer.json()
    if "access_token" in body:
        variables["access_token"] = body["access_token"]
    first = (body["data"] or [{}])[0] if isinstance(body.get("data"), list) else body
    if isinstance(first.get("id"), str) and (noun := NOUNS.get(first["id"].split("_")[0])):
        variables[noun] = first["id"]


@pytest.mark.parametrize("name", ["openapi", "postman"])
async def test_the_command_prints_what_the_server_serves(open_client, name):
    answer = await open_client.get(f"/{name}.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    environment = {"FSHNISTA_PUBLIC_URL": str(open_client.base_url)}
    outcome = await asyncio.to_thread(CliRunner().invoke, build(), [name, "export"], env=environment)
    assert outcome.exit_code == 0, outcome.stderr
    assert orjson.loads(outcome.stdout) == answer.json()
