"""The real previews: each set of them hides the others, breaks nothing, and ends in time."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from itertools import chain, combinations

import httpx
import pytest
from graphql import build_schema as read_sdl
from graphql import find_breaking_changes

from app.asgi import Parts
from schema.build import ALL_PREVIEWS, build_schema, open_previews
from tests.factories import Partner, make_partner
from tests.schema.hidden import as_it_is, coordinates_of, every_way, leaks, names_of

NAMES = sorted(open_previews())
READABLE = (
    "/openapi.json", "/postman.json", "/v1/schema.graphql", "/v1/schema.graphql?preview=", "/v1/schema/previews", "/v1/me",
    "/v1/schema/changes", "/v1/schema.graphql?preview=nonsense", "/v1/schema/changes?from=nonsense", "/v1/nonsense",
)  # fmt: skip
SETS = [frozenset(s) for s in chain.from_iterable(combinations(NAMES, size) for size in range(len(NAMES) + 1))]


@pytest.mark.parametrize("opened", SETS, ids=lambda opened: "+".join(sorted(opened)) or "stable")
def test_what_is_not_open_is_found_nowhere(opened: frozenset[str]) -> None:
    _finds_nothing(opened, as_it_is)


@pytest.mark.load
@pytest.mark.parametrize("opened", SETS, ids=lambda opened: "+".join(sorted(opened)) or "stable")
def test_what_is_not_open_is_found_by_no_misspelling(opened: frozenset[str]) -> None:
    _finds_nothing(opened, every_way)


def _finds_nothing(opened: frozenset[str], spellings: Callable[[str], Iterable[str]]) -> None:
    schema = build_schema(opened)
    assert leaks(schema._schema, build_schema(ALL_PREVIEWS)._schema, schema.as_str(), spellings) == []


@pytest.mark.parametrize("opened", SETS, ids=lambda opened: "+".join(sorted(opened)) or "stable")
def test_opening_breaks_nothing_of_the_stable_schema(opened: frozenset[str]) -> None:
    stable, schema = build_schema()._schema, build_schema(opened)._schema
    assert [change.description for change in find_breaking_changes(stable, schema)] == []
    assert coordinates_of(stable) <= coordinates_of(schema)


def test_no_preview_is_past_its_end() -> None:
    late = [name for name, found in open_previews().items() if date.fromisoformat(found.mark.until) < _today()]
    assert late == [], f"release, extend (with a reason in the changelog) or remove: {late}"


def test_one_preview_ends_on_one_day() -> None:
    ends = {name: {mark.until for mark in found.marks} for name, found in open_previews().items()}
    assert [name for name, days in ends.items() if len(days) != 1] == []


def _today() -> date:
    return datetime.now(UTC).date()


async def with_scopes(parts: Parts, open_client: httpx.AsyncClient, scopes: str) -> Partner:
    return await make_partner(parts, open_client, scopes=scopes)


async def test_a_token_without_previews_is_told_the_scopes(parts: Parts, open_client: httpx.AsyncClient) -> None:
    partner = await with_scopes(parts, open_client, "profile:read")
    answer = await partner.call("POST", "/graphql/preview", 403, json={"query": "{ __typename }"})
    error = answer.json()["errors"][0]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert all(f"preview:{name}" in error["message"] for name in ALL_PREVIEWS)
    await partner.call("POST", "/graphql", 200, json={"query": "{ __typename }"})


async def test_the_preview_path_serves_the_stable_schema_too(partner: Partner) -> None:
    answer = await partner.call("POST", "/graphql/preview", 200, json={"query": "{ me { handle } }"})
    assert answer.json()["data"] == {"me": {"handle": partner.handle}}


async def test_the_stable_path_knows_no_preview(partner: Partner) -> None:
    told = await partner.data("{ __schema { directives { name } types { name fields { name } } } }")
    shown = {f"{kind['name']}.{field['name']}" for kind in told["__schema"]["types"] for field in kind["fields"] or ()}
    opened = {coordinate for found in open_previews().values() for coordinate in found.opens}
    assert not shown & opened
    assert "preview" not in {directive["name"] for directive in told["__schema"]["directives"]}


async def test_browsers_get_graphiql_there(open_client: httpx.AsyncClient) -> None:
    answer = await open_client.get("/graphql/preview", headers={"accept": "text/html"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


async def test_the_sdl_is_read_with_a_validator(partner: Partner) -> None:
    stable = await partner.call("GET", "/v1/schema.graphql", 200)
    assert stable.text == build_schema().as_str() + "\n"
    assert stable.headers["content-type"].startswith("text/plain")
    again = await partner.http.get("/v1/schema.graphql", headers={"if-none-match": stable.headers["etag"]})
    assert again.status_code == 304
    opened = await partner.call("GET", "/v1/schema.graphql?preview=", 200)
    assert coordinates_of(read_sdl(opened.text)) == coordinates_of(build_schema(frozenset(NAMES))._schema)


async def test_the_sdl_opens_only_what_the_token_opens(parts: Parts, open_client: httpx.AsyncClient) -> None:
    partner = await with_scopes(parts, open_client, "profile:read")
    refused = await partner.call("GET", "/v1/schema.graphql?preview=events", 403)
    assert refused.json()["required_scope"] == "preview:events"
    await partner.call("GET", "/v1/schema.graphql?preview=nonsense", 422)
    bare = await partner.call("GET", "/v1/schema.graphql?preview=", 200)
    assert bare.text == build_schema().as_str() + "\n"
    assert (await partner.call("GET", "/v1/schema/previews", 200)).json()["data"] == []


async def test_the_previews_are_listed_to_those_who_hold_them(partner: Partner) -> None:
    told = (await partner.call("GET", "/v1/schema/previews", 200)).json()["data"]
    assert [item["name"] for item in told] == NAMES
    for item in told:
        mark = open_previews()[item["name"]].mark
        assert (item["until"], item["about"], item["scope"]) == (mark.until, mark.about, f"preview:{item['name']}")


def batched(names: list[str], size: int = 15) -> list[list[str]]:
    """As many as one answer has errors for."""
    return [names[start : start + size] for start in range(0, len(names), size)]


@pytest.mark.parametrize("held", ["", *NAMES])
async def test_nothing_that_a_token_can_read_names_what_it_does_not_open(
    parts: Parts, open_client: httpx.AsyncClient, held: str
) -> None:
    """Both descriptions of REST, the schemas' texts, what changed, and what is said to those who ask for more.

    Names of previews stand in the list of scopes, so plain words do not count: only names made of several.
    """
    partner = await with_scopes(parts, open_client, f"profile:read preview:{held}" if held else "profile:read")
    opened = frozenset({held} if held else ())
    everything = build_schema(ALL_PREVIEWS)._schema
    hidden = names_of(everything) - names_of(build_schema(opened)._schema)
    telling = {name for name in hidden if re.search("[a-z][A-Z]|_", name)}
    assert telling
    texts = {path: (await partner.call("GET", path)).text for path in READABLE}
    for name in NAMES:
        path = f"/v1/schema.graphql?preview={name}"
        texts[path] = (await partner.call("GET", path, 200 if name == held else 403)).text
    for asked in batched(sorted(f"{name}x" for name in telling)):
        for path in ("/graphql", "/graphql/preview"):
            answer = await partner.call("POST", path, json={"query": f"{{ {' '.join(asked)} }}"})
            texts[f"{path} {asked[0]}"] = answer.text
    shown = {where: sorted(set(re.findall(r"\w+", text)) & telling) for where, text in texts.items()}
    assert {where: names for where, names in shown.items() if names} == {}
    coordinates = {
        at for name, found in open_previews().items() if name not in opened for at in found.opens if "." in at
    }
    assert [at for at in coordinates for text in texts.values() if at in text] == []
