"""Writes over GraphQL: one `input` in, the object or the user errors out."""

from collections.abc import Awaitable, Callable
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

import strawberry
from graphql import FieldNode
from pydantic import BaseModel
from strawberry import UNSET, Info
from strawberry.utils.str_converters import to_camel_case

from db.model import Entity
from resolvers import errors
from resolvers.context import Context
from resolvers.inputs import read
from resolvers.writes import Written

M = TypeVar("M", bound=BaseModel)
P = TypeVar("P")

# What the caller can mend by sending something else; everything else is an error of the request itself.
USER_ERRORS = (
    errors.Invalid, errors.Conflict, errors.NotFound, errors.PreconditionFailed, errors.TooLarge,
)  # fmt: skip


@strawberry.type(description="What was wrong with an input, and where.")
class UserError:
    """`field` is the path below `input`; null where no single field is at fault."""

    field: list[str] | None
    message: str
    code: str


@strawberry.input(name="ProductOptionInput", description="One option of a variant, such as its size.")
class OptionInput:
    """Options keep their order."""

    name: str
    value: str


def as_input(model: type[M], given: Any, *, without: tuple[str, ...] = ()) -> M:
    """A GraphQL input as the domain's: unset fields left out, enums by value, options by name."""
    values = _plain(given)
    return read(model, {n: value for n, value in values.items() if n not in without}, nulls_are_absent=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        if value and all(isinstance(item, OptionInput) for item in value):
            return _options(value)
        return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: _plain(item) for name, item in pairs if item is not UNSET}
    return value


def _options(given: list[OptionInput]) -> dict[str, str]:
    options = {option.name: option.value for option in given}
    if len(options) != len(given):
        raise errors.Invalid(errors.Fault("/options", "names one option twice", "duplicate"))
    return options


async def run(
    info: Info, payload: Callable[..., P], noun: str, entity: Entity[Any] | None,
    act: Callable[[Context], Awaitable[Written]], **more: Callable[[Written], Any],
) -> P:  # fmt: skip
    """Acts, and answers with the row as it then stands under `noun`; what the caller can mend becomes user errors."""
    ctx = _context(info)
    try:
        written = await act(ctx)
    except USER_ERRORS as error:
        nothing = {noun: None, **dict.fromkeys(more)}
        return payload(**nothing, user_errors=user_errors(error))
    ctx.loaders.forget()
    row = await ctx.loaders.row(entity, written.id) if entity is not None else written.body
    return payload(**{noun: row, **{name: made(written) for name, made in more.items()}}, user_errors=[])


def _context(info: Info) -> Context:
    """The request's context. Where one document writes several times, each field has a key of its own."""
    ctx: Context = info.context
    asked = info.operation.selection_set.selections
    if ctx.idempotency_key is None or (len(asked) == 1 and isinstance(asked[0], FieldNode)):
        return ctx
    return replace(ctx, idempotency_key=f"{ctx.idempotency_key}:{info.path.key}")


def user_errors(error: errors.DomainError) -> list[UserError]:
    """A domain error as what a form would show."""
    if isinstance(error, errors.Invalid):
        return [UserError(field=_path(f.pointer), message=f.message, code=f.code.upper()) for f in error.faults]
    pointer = error.pointer if isinstance(error, errors.Conflict) else ""
    return [UserError(field=_path(pointer), message=error.message, code=error.code.upper())]


def _path(pointer: str) -> list[str] | None:
    parts = [to_camel_case(part) for part in pointer.split("/") if part]
    return parts or None
