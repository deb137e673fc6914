"""A connection's arguments as the window that a plan reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.cursors import DEFAULT_PAGE, LARGEST_PAGE, Sort
from db.model import Relation
from db.statements import Mark, Window
from execution.arguments import Argument, Const, Items, Var
from execution.errors import Unplanned


@dataclass(frozen=True)
class CursorPart:
    """The id or the sort key inside a cursor that comes with each request."""

    cursor: Const | Var
    sort: Sort
    part: str


def window_of(relation: Relation[Any], given: Mapping[str, Argument]) -> tuple[int, Window]:
    """The page size and the window; what the ordinary executor would refuse is Unplanned, so that it does."""
    first, last = (_whole(given.get(name)) for name in ("first", "last"))
    size = last if last is not None else DEFAULT_PAGE if first is None else first
    if (first is not None and last is not None) or not 1 <= size <= LARGEST_PAGE:
        raise Unplanned("bad_argument")
    sort = relation.target.sorts[given["sort"].value if "sort" in given else "CREATED_AT_ASC"]
    after, before = (_mark(given.get(name), sort) for name in ("after", "before"))
    return size, Window(
        sort=sort, backwards=last is not None, after=after, before=before, filters=_filters(relation, given)
    )


def _whole(argument: Argument | None) -> int | None:
    return None if argument is None else int(argument.value)


def _mark(argument: Argument | None, sort: Sort) -> Mark | None:
    if argument is None:
        return None
    key = CursorPart(argument.source, sort, "key") if sort.column is not None else None
    return Mark(CursorPart(argument.source, sort, "id"), key)


def _filters(relation: Relation[Any], given: Mapping[str, Argument]) -> tuple[tuple[str, Any], ...]:
    """Filters are fields of `filter`, or arguments of their own."""
    fields = given["filter"].value if "filter" in given else {}
    sent = {_snake(name): argument for name, argument in {**given, **fields}.items()}
    made = relation.made
    if made is not None and len(sent[made.given].value) > made.most:
        raise Unplanned("bad_argument")
    names = [*relation.target.filters, *([made.given] if made is not None else [])]
    return tuple((name, _source(sent[name])) for name in names if name in sent)


def _source(argument: Argument) -> Const | Var | Items:
    """Of a list, where each item comes from: it may stand in the document and still hold variables."""
    if not isinstance(argument.value, list):
        return argument.source
    return Items(tuple(item.source for item in argument.value))


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
