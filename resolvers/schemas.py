"""What the domain tells of the GraphQL schemas: their texts and their previews, to those who may see them."""

from typing import Protocol

from auth.scopes import SCOPES
from db.bodies.previews import PreviewBody
from resolvers.errors import DomainError, Fault, InsufficientScope, Invalid

SCOPE, ALL = "preview:", frozenset(SCOPES)


class Schemas(Protocol):
    """The schemas of the running program."""

    def sdl(self, previews: frozenset[str]) -> bytes:
        """The stable schema with these previews, as SDL."""

    def previews(self) -> list[PreviewBody]:
        """Every preview that there is now."""


class NoSchemas(DomainError):
    """The program was put together without GraphQL."""


def opened(schemas: Schemas | None, scopes: frozenset[str]) -> list[PreviewBody]:
    """The previews that a token's scopes open."""
    return [preview for preview in _present(schemas).previews() if preview.scope in scopes]


def sdl(schemas: Schemas | None, scopes: frozenset[str], asked: str | None) -> bytes:
    """The SDL of the stable schema (`asked` None), or with previews: named with commas between, or all ("") of the token's.

    InsufficientScope for one that the token does not open, Invalid for a name that is no preview.
    """
    there = _present(schemas)
    if asked is None:
        return there.sdl(frozenset())
    held = {preview.name for preview in opened(there, scopes)}
    names = frozenset(asked.split(",")) if asked else held
    for name in sorted(names - held):
        raise _refused(name, scopes)
    return there.sdl(frozenset(names))


def _refused(name: str, scopes: frozenset[str]) -> DomainError:
    if SCOPE + name in ALL and SCOPE + name not in scopes:
        return InsufficientScope(SCOPE + name)
    return Invalid(Fault("/preview", "must name previews that GET /v1/schema/previews lists for your token"))


def _present(schemas: Schemas | None) -> Schemas:
    if schemas is None:
        raise NoSchemas("There is no GraphQL schema here.")
    return schemas
