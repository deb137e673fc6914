"""Marks on real definitions, for as long as a test needs them: the schema is built anew with them, as it would be for good."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from strawberry.schema.schema_converter import GraphQLCoreConverter

from execution.usage import definitions
from schema.build import build_schema
from schema.deprecations import deprecated
from schema.stages import StagedSchema

TODAY = datetime.now(UTC).date()


def day(offset: int) -> date:
    """A day as many days from now."""
    return TODAY + timedelta(days=offset)


@contextmanager
def ending(replacements: dict[str, str], previews: frozenset[str] = frozenset()) -> Iterator[StagedSchema]:
    """The schema in which these coordinates were deprecated ten days ago and end in a hundred; by coordinate, what replaces it."""
    found = definitions(build_schema(previews)._schema)
    marked: list[tuple[Any, Any]] = []
    try:
        for coordinate, replacement in replacements.items():
            definition = found[coordinate].extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
            marked.append((definition, definition.directives))
            mark = deprecated(since=day(-10), sunset=day(100), replacement=replacement)
            definition.directives = [*definition.directives, mark]
        yield build_schema.__wrapped__(previews)
    finally:
        for definition, before in marked:
            definition.directives = before
