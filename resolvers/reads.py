"""Reads that are the same for every noun: one row by id, the far end of a relation, a page of a list."""

from typing import Any, TypeVar

from db.cursors import DEFAULT_PAGE, LARGEST_PAGE, BadCursor, Cursor, Sort, decode
from db.ids import PREFIXES, is_id
from db.model import Entity, Relation
from db.tables import Table
from resolvers.context import Context
from resolvers.errors import Fault, Invalid, NotFound
from resolvers.loaders import Page, PageArgs

T = TypeVar("T", bound=Table)


async def get(ctx: Context, entity: Entity[T], id: str) -> T:  # noqa: A002 - the field's name
    """The row with this id, or NotFound where there is none that the viewer may see."""
    row = await ctx.loaders.row(entity, id)
    if row is None:
        raise NotFound(entity.name, id[:64])
    return row


def check_id(prefix: str, id: str) -> None:  # noqa: A002
    """Raises NotFound for what is no id of this kind, before anybody looks for it."""
    if not is_id(prefix, id):
        raise NotFound(PREFIXES[prefix], id[:64])


async def follow(ctx: Context, relation: Relation[T], row: Any, args: PageArgs) -> Page[T]:
    """A page of what hangs on a row, where the token's scopes let it be followed."""
    require(ctx, relation)
    return await ctx.loaders.page(relation, getattr(row, relation.near), args)


async def page(ctx: Context, relation: Relation[T], args: PageArgs) -> Page[T]:
    """A page of a list that hangs on no row."""
    require(ctx, relation)
    return await ctx.loaders.page(relation, "", args)


async def one(ctx: Context, relation: Relation[T], row: Any) -> T | None:
    """The single row at the far end, or None where there is none that the viewer may see."""
    require(ctx, relation)
    return await ctx.loaders.one(relation, getattr(row, relation.near))


def require(ctx: Context, relation: Relation[Any]) -> None:
    """Refuses a token that may not follow this relation."""
    if relation.scope is not None:
        ctx.require_read(relation.scope)


def page_args(
    relation: Relation[Any], *,
    first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None,
    sort: str | None = None, filters: tuple[tuple[str, Any], ...] = (), names: dict[str, str] | None = None,
) -> PageArgs:  # fmt: skip
    """Which page is asked for; `names` are the surface's own names of first, after, last and before, for faults."""
    name = {"first": "first", "after": "after", "last": "last", "before": "before", **(names or {})}
    if first is not None and last is not None:
        raise Invalid(Fault(f"/{name['last']}", f"cannot be given together with {name['first']}"))
    limit, limit_name = (last, name["last"]) if last is not None else (first, name["first"])
    if limit is not None and not 1 <= limit <= LARGEST_PAGE:
        raise Invalid(Fault(f"/{limit_name}", f"must be between 1 and {LARGEST_PAGE}"))
    faults = [Fault(f"/filter/{key}", "must not contain a NUL character") for key, value in filters if _has_nul(value)]
    made = relation.made
    faults += [
        Fault(f"/{_camel(key)}", f"must not name more than {made.most} ids")
        for key, value in filters
        if made is not None and key == made.given and len(value) > made.most
    ]
    if faults:
        raise Invalid(*faults)
    order = relation.target.sorts[sort or "CREATED_AT_ASC"]
    return PageArgs(
        limit=DEFAULT_PAGE if limit is None else limit,
        backwards=last is not None,
        after=_cursor(order, after, name["after"]),
        before=_cursor(order, before, name["before"]),
        sort=order,
        filters=filters,
    )


def _has_nul(value: Any) -> bool:
    return "\0" in value if isinstance(value, str) else isinstance(value, tuple) and any(map(_has_nul, value))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _cursor(sort: Sort, cursor: str | None, name: str) -> Cursor | None:
    if cursor is None:
        return None
    try:
        return decode(sort, cursor)
    except BadCursor:
        raise Invalid(Fault(f"/{name}", "is not a cursor of this list in this order")) from None
