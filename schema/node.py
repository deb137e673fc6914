"""Everything that has an id, found by its id."""

from typing import Any

import strawberry

from db.tables import Table


@strawberry.interface(description="Whatever has an id.")
class Node:
    """The same string as in REST."""

    id: strawberry.ID


def shows(table: type[Table]) -> Any:
    """Tells the executor which rows a type shows: types resolve from table rows, with no wrapper between."""

    def is_type_of(cls: Any, obj: Any, info: Any) -> bool:
        return isinstance(obj, table)

    return classmethod(is_type_of)
