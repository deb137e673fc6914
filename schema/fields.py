"""The few kinds of field that the schema is made of. Each says once how it resolves and how it can be planned."""

import inspect
from collections.abc import Mapping
from enum import Enum
from typing import Any

import strawberry
from strawberry import Info

from db.model import Aggregate, Relation
from execution.markers import PLAN, Computed, Embedded, JsonList, Reduced, ToMany, ToOne
from resolvers import reads
from resolvers.context import Context
from schema.paging import ConnectionOf

_P = inspect.Parameter


def context_of(info: Info) -> Context:
    """The request's context."""
    context: Context = info.context
    return context


def relation(joined: Relation[Any], **told: Any) -> Any:
    """The single object at the far end of a join."""

    async def resolve(root: Any, info: Info):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the class says the type
        return await reads.one(context_of(info), joined, root)

    return strawberry.field(resolver=resolve, metadata={PLAN: ToOne(joined)}, **told)


def connection(
    joined: Relation[Any], *, filter_type: Any = None, sort_type: type[Enum] | None = None,
    filters: Mapping[str, Any] | None = None, **told: Any,
) -> Any:  # fmt: skip
    """A connection over the far end of a join, or over a list that hangs on no row.

    `filters`: filters that are arguments of their own, by name with their types; lists of enum values, or scalars.
    """
    own_filters = filters or {}

    async def resolve(root: Any, info: Info, **asked: Any):  # type: ignore[no-untyped-def]  # noqa: ANN202
        ctx = context_of(info)
        reads.require(ctx, joined)
        own = tuple((name, _plain(asked.pop(name, None))) for name in own_filters)
        given = arguments_of(asked)
        given["filters"] = (*given.get("filters", ()), *((name, value) for name, value in own if value is not None))
        args = reads.page_args(joined, **given)
        key = "" if joined.source is None else getattr(root, joined.near)
        return ConnectionOf(ctx, joined, key, args)

    annotations: dict[str, Any] = {"first": int | None, "after": str | None, "last": int | None, "before": str | None}
    if filter_type is not None:
        annotations["filter"] = filter_type | None
    if sort_type is not None:
        annotations["sort"] = sort_type | None
    made_from = joined.made.given if joined.made is not None else None
    annotations |= {name: kind if name == made_from else kind | None for name, kind in own_filters.items()}
    _sign(resolve, annotations)
    return strawberry.field(resolver=resolve, metadata={PLAN: ToMany(joined)}, **told)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    return None if value is strawberry.UNSET else value.value if isinstance(value, Enum) else value


def _sign(resolve: Any, annotations: Mapping[str, Any]) -> None:
    """Gives the resolver the arguments that this connection has; Strawberry reads them from its signature."""
    own = [_P("root", _P.POSITIONAL_OR_KEYWORD), _P("info", _P.POSITIONAL_OR_KEYWORD, annotation=Info)]
    given = [_P(name, _P.KEYWORD_ONLY, default=strawberry.UNSET, annotation=a) for name, a in annotations.items()]
    resolve.__signature__ = inspect.Signature([*own, *given])
    resolve.__annotations__ = {"info": Info, **annotations}


def arguments_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """A connection's arguments as the domain takes them: no unset ones, enums by name, filters as pairs."""
    given = {name: value for name, value in asked.items() if value is not None and value is not strawberry.UNSET}
    if "sort" in given:
        given["sort"] = given["sort"].value
    if "filter" in given:
        given["filters"] = filter_values(given.pop("filter"))
    return given


def filter_values(given: Any) -> tuple[tuple[str, Any], ...]:
    """The fields of a filter input that were sent, in the order of their declaration."""
    values = ((name, getattr(given, name)) for name in given.__dataclass_fields__)
    return tuple(
        (name, value.value if isinstance(value, Enum) else value)
        for name, value in values
        if value is not None and value is not strawberry.UNSET
    )


def reduced(item: Aggregate, **told: Any) -> Any:
    """One value over the far end of a join."""

    async def resolve(root: Any, info: Info):  # type: ignore[no-untyped-def]  # noqa: ANN202
        return await context_of(info).loaders.aggregate(item, getattr(root, item.relation.near))

    return strawberry.field(resolver=resolve, metadata={PLAN: Reduced(item)}, **told)


def embedded(made: Any = None, *, columns: Mapping[str, str], **told: Any) -> Any:
    """An object of columns of the same row; `made` is its class where its fields are named otherwise than the columns."""

    def resolve(root: Any):  # type: ignore[no-untyped-def]  # noqa: ANN202
        return root if made is None else made(**{name: getattr(root, column) for name, column in columns.items()})

    return strawberry.field(resolver=resolve, metadata={PLAN: Embedded(dict(columns))}, **told)


def json_list(made: Any, column: str, **told: Any) -> Any:
    """A list of flat objects kept in one JSON column."""

    def resolve(root: Any):  # type: ignore[no-untyped-def]  # noqa: ANN202
        return [made(**item) for item in getattr(root, column)]

    return strawberry.field(resolver=resolve, metadata={PLAN: JsonList(column)}, **told)


def computed(resolve: Any, sql: str, **told: Any) -> Any:
    """A scalar with a resolver of its own that SQL can say as well."""
    return strawberry.field(resolver=resolve, metadata={PLAN: Computed(sql)}, **told)
