"""What differs between two schemas: how each change is classed, whom it touches, and what lets it pass."""

import pytest

from resolvers.releases import step_of
from schema.changes import changes_between, unannounced

OLD = """
enum Size { S M }
union Thing = Shoe | Coat
interface Named { name: String }
type Shoe implements Named { name: String size: Size }
type Coat implements Named { name: String cuff: Cuff }
type Cuff { width: Int }
input Wish { size: Size colour: String }
type Query { thing: Thing named: Named shoe(wish: Wish, at: Int = 1, of: ID): Shoe! }
"""
MARK = '@deprecated(reason: "x") @sunset(since: "2026-01-01", on: "2026-06-01", replacement: "Query.shoe")'
DIRECTIVE = "directive @sunset(since: String!, on: String!, replacement: String!) on FIELD_DEFINITION\n"


def changed(*swaps):
    new = OLD
    for before, after in swaps:
        assert before in new
        new = new.replace(before, after)
    return changes_between(OLD, new)


@pytest.mark.parametrize(
    ("before", "after", "kind", "message", "keys"),
    [
        ("named: Named ", "", "breaking", "`Query.named` is gone.", {"Query.named"}),
        ("of: ID", "of: ID!", "breaking", "`Query.shoe(of:)` is `ID!` and was `ID`.", {"Query.shoe(of:)", "Query.shoe"}),
        (", of: ID", "", "breaking", "`Query.shoe(of:)` is gone.", {"Query.shoe(of:)"}),
        ("of: ID", "of: ID, to: ID!", "breaking", "`Query.shoe(to:)` is new and must be given.", {"Query.shoe"}),
        ("S M", "S", "breaking", "`Size.M` is gone.", {"Size.M"}),
        ("colour: String", "", "breaking", "`Wish.colour` is gone.", {"Wish.colour"}),
        ("size: Size colour", "size: Size! colour", "breaking", "`Wish.size` is `Size!` and was `Size`.", {"Wish.size", "Wish"}),
        ("colour: String", "colour: String fit: Int!", "breaking", "`Wish.fit` is new and must be given.", {"Wish", "Query.shoe(wish:)"}),
        ("Shoe | Coat", "Shoe", "breaking", "`Coat` is no longer among `Thing`.", {"Thing", "Query.thing"}),
        ("S M", "S M L", "careful", "`Size.L` is new.", {"Size", "Shoe.size", "Wish.size"}),
        ("Int = 1", "Int = 2", "careful", "The default of `Query.shoe(at:)` is `2` and was `1`.", {"Query.shoe"}),
        ("of: ID", "of: ID, to: ID", "added", "`Query.shoe(to:)` is new.", set()),
        ("width: Int", "width: Int depth: Int", "added", "`Cuff.depth` is new.", set()),
        ("colour: String", "colour: String fit: Int", "added", "`Wish.fit` is new.", set()),
        ("width: Int", "width: Int!", "added", "`Cuff.width` is `Int!` and was `Int`.", set()),
    ],
)  # fmt: skip
def test_each_kind_of_change_is_classed_and_names_whom_it_touches(before, after, kind, message, keys):
    [change] = changed((before, after))
    assert (change.kind, change.message, change.keys) == (kind, message, keys)
    assert step_of([change]) == ("major" if kind == "breaking" else "minor")


def test_descriptions_are_no_change_but_a_patch():
    changes = changed(("enum Size", '"What fits."\nenum Size'))
    assert changes == ()
    assert step_of(changes, same=False) == "patch"
    assert step_of(changes) == "none"


def test_a_mark_is_a_change_that_tells_the_end_and_the_way_out():
    [change] = changed(("named: Named", f"named: Named {MARK}"), ("\nenum", f"{DIRECTIVE}\nenum"))
    assert (change.kind, change.coordinate) == ("deprecated", "Query.named")
    assert change.message == "`Query.named` is deprecated and may be gone from 2026-06-01; use `Query.shoe`."
    assert change.deprecation is not None


def broken(changes, *ended):
    return [change.coordinate for change in unannounced(OLD, changes, frozenset(ended))]


def test_what_has_ended_may_go_and_nothing_else():
    changes = changed(("named: Named ", ""), ("of: ID", "of: ID!"))
    assert broken(changes) == ["Query.named", "Query.shoe(of:)"]
    assert broken(changes, "Query.named") == ["Query.shoe(of:)"]
    assert broken(changes, "Query.named", "Query.shoe") == []


def test_a_type_may_go_where_every_way_to_it_has_ended():
    changes = changed(("type Cuff { width: Int }", ""), ("cuff: Cuff", "size: Size"))
    assert broken(changes) == ["Cuff", "Coat.cuff"]
    assert broken(changes, "Coat.cuff") == []
    away = changed(("| Coat", ""))
    assert broken(away) == ["Thing"]
    assert broken(away, "Query.thing") == []
