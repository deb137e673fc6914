"""The mark on every kind of definition, in a small schema that has them all, for every set of previews."""

from datetime import date
from enum import Enum
from itertools import chain, combinations
from typing import Annotated

import pytest
import strawberry
from graphql import find_breaking_changes
from strawberry.schema.config import StrawberryConfig

from schema.paging import Connection
from schema.stages import StagedSchema, previews_of, stage
from tests.schema.hidden import coordinates_of, every_way, leaks

ALPHA = stage("alpha", owner="Fabrics", until=date(2027, 3, 1), about="Cloth by the yard.")
BETA = stage("beta", owner="Shoes", until=date(2027, 4, 1), about="Shoes by the pair.")


@strawberry.interface(directives=[ALPHA])
class Woven:
    thread: str


@strawberry.type
class Cotton(Woven):
    plain: int


@strawberry.type(directives=[ALPHA])
class Velvet:
    pile: int


@strawberry.type
class Orphan:
    velvets: Connection[Velvet]
    lonely: int


@strawberry.enum
class Colour(Enum):
    RED = "red"
    TEAL = strawberry.enum_value("teal", directives=[BETA])


@strawberry.enum(directives=[BETA])
class Heel(Enum):
    FLAT = "flat"


@strawberry.input
class Wish:
    colour: Colour = Colour.RED
    softness: int | None = strawberry.field(default=None, directives=[ALPHA])
    heel: Heel | None = None


Cloth = Annotated[Cotton | Velvet, strawberry.union("Cloth")]


@strawberry.type
class Query:
    @strawberry.field
    def cloth(self, wish: Wish, width: Annotated[int | None, strawberry.argument(directives=[BETA])] = None) -> Cloth:
        return Cotton(thread="thin", plain=wish.softness or width or 0)

    orphan: Orphan | None = strawberry.field(default=None, directives=[BETA])


@strawberry.type
class Mutation:
    @strawberry.mutation
    def dye(self) -> int:
        return 1

    @strawberry.mutation(directives=[ALPHA])
    def weave(self) -> Velvet:
        return Velvet(pile=1)


def build(*opened: str) -> StagedSchema:
    return StagedSchema(
        opened=frozenset(opened), query=Query, mutation=Mutation, types=[Velvet, Cotton], config=StrawberryConfig()
    )


SETS = list(chain.from_iterable(combinations(("alpha", "beta"), size) for size in range(3)))
STABLE = """enum Colour {
  RED
}

type Cotton {
  thread: String!
  plain: Int!
}

type Mutation {
  dye: Int!
}

type Query {
  cloth(wish: Wish!): Cloth!
}

input Wish {
  colour: Colour! = RED
}

union Cloth = Cotton"""


def test_the_stable_schema_is_as_if_nothing_were_staged() -> None:
    assert sorted(build().as_str().split("\n\n")) == sorted(STABLE.split("\n\n"))


@pytest.mark.parametrize("opened", SETS)
def test_what_is_not_open_is_found_nowhere(opened: tuple[str, ...]) -> None:
    schema = build(*opened)
    assert leaks(schema._schema, build("alpha", "beta")._schema, schema.as_str(), every_way) == []


@pytest.mark.parametrize("opened", SETS)
def test_opening_breaks_nothing(opened: tuple[str, ...]) -> None:
    changes = find_breaking_changes(build()._schema, build(*opened)._schema)
    assert [change.description for change in changes] == []
    assert coordinates_of(build()._schema) <= coordinates_of(build(*opened)._schema)


def test_each_set_opens_its_own() -> None:
    alpha, beta, both = (coordinates_of(build(*opened)._schema) for opened in SETS[1:])
    stable = coordinates_of(build()._schema)
    assert {"Velvet", "Woven", "Cotton&Woven", "Cloth|Velvet", "Wish.softness", "Mutation.weave"} <= alpha - stable
    assert {"Colour.TEAL", "Heel", "Wish.heel", "Query.cloth(width:)", "Orphan.lonely"} <= beta - stable
    assert "Orphan.velvets" in both - (alpha | beta)


def test_a_field_staged_by_its_type_is_executed_where_it_is_open() -> None:
    assert build("alpha").execute_sync("mutation { weave { pile } }").data == {"weave": {"pile": 1}}
    asked = "{ cloth(wish: {softness: 7}) { ... on Cotton { plain } } }"
    assert build("alpha").execute_sync(asked).data == {"cloth": {"plain": 7}}
    assert build().execute_sync(asked).data is None
    assert build().execute_sync("{ cloth(wish: {}) { ... on Cotton { plain } } }").data == {"cloth": {"plain": 0}}


def test_introspection_tells_of_the_preview_and_its_end() -> None:
    told = build("alpha").execute_sync('{ __type(name: "Velvet") { description } }').data
    assert told == {"__type": {"description": "Preview `alpha`, until 2027-03-01: Cloth by the yard."}}
    assert '@preview(name: "alpha", owner: "Fabrics", until: "2027-03-01"' in build("alpha").as_str()


def test_the_previews_of_a_schema_are_listed_with_what_they_open() -> None:
    found = previews_of(build("alpha", "beta"))
    assert found["alpha"].opens == ("Mutation.weave", "Velvet", "Wish.softness", "Woven")
    assert found["beta"].mark.until == "2027-04-01"
    assert previews_of(build()) == {}
