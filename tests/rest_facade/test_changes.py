"""What differs between two OpenAPI documents that are made from route tables, each kind of change by itself."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model

from db.deprecation import Deprecation
from rest_facade.call import Answer, Call
from rest_facade.changes import changes_between, coordinates, deprecations_of, unannounced
from rest_facade.openapi import document
from rest_facade.queries import Query
from rest_facade.route import Route

MARK = Deprecation(date(2026, 1, 1), date(2026, 6, 1), "`colour`")


class Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    size: Literal["s", "m"] | None = None
    parts: list["Part"] = []


class Part(BaseModel):
    sku: Annotated[str, Field(max_length=10)]
    count: int | None = None


class Told(BaseModel):
    id: str
    size: Literal["s", "m"]
    note: str | None


class Asked(Query):
    colour: str | None = None
    status: Literal["new", "old"] | None = None


async def handler(call: Call) -> Answer:
    return Answer()


GET = Route("GET", "/v1/things", handler, "Things", "Things", {200: Told}, query=Asked, example_answer={})
POST = Route("POST", "/v1/things", handler, "Make one", "Things", {201: Told}, body=Sent, example={}, example_answer={})
OLD = document([GET, POST], url="", version="1.0.0")


def changed(*routes: Route):
    return changes_between(OLD, document(routes, url="", version="1.1.0"))


def sent(**fields):
    return replace(POST, body=create_model("Sent", __base__=Sent, **fields))


def told(**fields):
    return replace(GET, answers={200: create_model("Told", __base__=Told, **fields)})


def _list_of(model: Any) -> Any:
    return list[model]


def without(model, name):
    kept: Any = {key: (field.annotation, field) for key, field in model.model_fields.items() if key != name}
    return create_model(model.__name__, __config__=ConfigDict(extra="forbid"), **kept)


LIST, MAKE = "GET /v1/things", "POST /v1/things"


def asked(**fields):
    return replace(GET, query=create_model("Asked", __base__=Asked, **fields))


# The changed route, the class of the change, where it is, what is said of it, and whom it touches (here: whoever sent it).
HERE = "here"
CASES = [
    (None, "breaking", LIST, "is gone", LIST),
    (replace(GET, query=Query), "breaking", f"{LIST}?colour", "is gone", HERE),
    (asked(page=(int, ...)), "breaking", f"{LIST}?page", "is new and must be given", LIST),
    (asked(page=(int, 1)), "added", f"{LIST}?page", "is new", None),
    (asked(status=(Literal["new"] | None, None)), "breaking", f"{LIST}?status", "no longer takes `old`", HERE),
    (replace(GET, scope="orders:read"), "breaking", LIST, "needs a token with the scope orders:read", LIST),
    (replace(GET, answers={202: Told}), "breaking", LIST, "never answers 200", LIST),
    (replace(GET, answers={200: without(Told, "note")}), "breaking", f"{LIST} 200 /note", "is gone", LIST),
    (told(id=(int, ...)), "breaking", f"{LIST} 200 /id", "is of type integer and was of type string", LIST),
    (told(id=(str | None, ...)), "breaking", f"{LIST} 200 /id", "may be null", LIST),
    (told(size=(Literal["s", "m", "l"], ...)), "careful", f"{LIST} 200 /size", "can be `l`", LIST),
    (told(size=(Literal["s"], ...)), "careful", f"{LIST} 200 /size", "is never `m` any more", LIST),
    (told(more=(str, ...)), "added", f"{LIST} 200 /more", "is new", None),
    (sent(extra=(str, ...)), "breaking", f"{MAKE} body /extra", "is new and must be given", MAKE),
    (sent(size=(Literal["s", "m"], ...)), "breaking", f"{MAKE} body /size", "must be given", MAKE),
    (sent(size=(Literal["s"] | None, None)), "breaking", f"{MAKE} body /size", "no longer takes `m`", HERE),
    (sent(size=(Literal["s", "m", "l"] | None, None)), "added", f"{MAKE} body /size", "can be `l`", None),
    (replace(POST, body=without(Sent, "parts")), "breaking", f"{MAKE} body /parts", "is gone", HERE),
    (
        sent(name=(Annotated[str, Field(max_length=3)], ...)),
        "breaking",
        f"{MAKE} body /name",
        "has the bound maxLength 3",
        HERE,
    ),
    (sent(name=(int, ...)), "breaking", f"{MAKE} body /name", "is of type integer and was of type string", HERE),
    (sent(parts=(_list_of(without(Part, "count")), [])), "breaking", f"{MAKE} body /parts/*/count", "is gone", HERE),
]


@pytest.mark.parametrize(("route", "kind", "coordinate", "said", "key"), CASES, ids=[f"{c[2]} {c[3]}" for c in CASES])
def test_each_kind_of_change_is_classed_and_names_whom_it_touches(route, kind, coordinate, said, key):
    other = GET if route is not None and route.method == "POST" else POST
    found = {change.message: change for change in changed(*[one for one in (route, other) if one])}
    message = f"`{coordinate}` {said}."
    assert message in found, found
    keys = {coordinate if key == HERE else key} if key else set()
    assert (found[message].kind, found[message].keys) == (kind, keys)


def test_what_is_posted_for_an_event_touches_who_has_a_webhook_for_it():
    hooks = replace(GET, tells={"thing.made": Told, "thing.sold": Told})
    before = document([hooks], url="", version="1.0.0")
    after = document(
        [replace(hooks, tells={"thing.made": without(Told, "note"), "thing.lost": Told})], url="", version="1.1.0"
    )
    found = {change.message: (change.kind, change.keys) for change in changes_between(before, after)}
    assert found == {
        f"`{LIST} thing.made /data/note` is gone.": ("breaking", {"thing.made"}),
        f"`{LIST} thing.sold` is gone.": ("breaking", {"thing.sold"}),
        f"`{LIST} thing.lost` is new.": ("added", frozenset()),
    }


def test_words_are_no_change():
    assert changed(replace(GET, summary="All things"), replace(POST, example={"name": "a"})) == ()


def test_marks_of_routes_parameters_and_fields_stand_in_the_document():
    marked = [
        replace(
            GET, deprecated=MARK, query=create_model("Q", __base__=Asked, colour=(Annotated[str | None, MARK], None))
        ),
        sent(size=(Annotated[Literal["s", "m"] | None, MARK], None)),
    ]
    made = document(marked, url="", version="1.1.0")
    assert set(deprecations_of(made)) == {LIST, f"{LIST}?colour", f"{MAKE} body /size"}
    assert made["paths"]["/v1/things"]["get"]["deprecated"] is True
    parameter = next(one for one in made["paths"]["/v1/things"]["get"]["parameters"] if one["name"] == "colour")
    assert (parameter["deprecated"], parameter["x-sunset"]) == (True, "2026-06-01")
    kinds = {change.coordinate: change.kind for change in changes_between(OLD, made)}
    assert kinds.items() >= {LIST: "deprecated", f"{LIST}?colour": "deprecated"}.items()


def test_what_has_ended_may_go_with_all_that_is_in_it():
    gone = changed(POST)
    assert [change.coordinate for change in unannounced(gone, frozenset())] == [LIST]
    assert unannounced(gone, frozenset({LIST})) == []
    inner = changed(GET, sent(parts=(_list_of(without(Part, "count")), [])))
    assert unannounced(inner, frozenset({f"{MAKE} body /parts"})) == []
    assert unannounced(inner, frozenset({f"{MAKE} body /par"})) != []


def test_every_place_has_a_coordinate():
    found = {coordinate for coordinate, _ in coordinates(OLD)}
    assert {LIST, f"{LIST}?status", f"{MAKE} body /parts/*/sku", f"{LIST} 200 /size"} <= found
