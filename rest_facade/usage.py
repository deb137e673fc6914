"""What one request uses of a route, by the coordinates of `rest_facade.changes`; and what of that will end."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode

from db.deprecation import Deprecation
from rest_facade.schema_changes import places
from rest_facade.schemas import to_openapi

_REF: Final = "#/$defs/{model}"
Tree = dict[str, "Tree"]


class RouteUse:
    """One route's coordinates. Made once; a request without parameters and body costs one look-up."""

    def __init__(
        self, operation: str, query: type[BaseModel], body: type[BaseModel] | None,
        answers: Iterable[type[BaseModel] | None] = (), deprecated: Deprecation | None = None,
    ) -> None:  # fmt: skip
        self.operation = operation
        self._bare = frozenset({operation})
        fields = query.model_fields
        self._parameters = {name: f"{operation}?{field.alias or name}" for name, field in fields.items()}
        within = dict(_places_of(body, "validation")) if body is not None else {}
        self._body: Tree = _tree(pointer for pointer in within if pointer)
        self._deprecated = {operation: deprecated} if deprecated else {}
        for name, coordinate in self._parameters.items():
            marks = [mark for mark in fields[name].metadata if isinstance(mark, Deprecation)]
            self._deprecated |= dict.fromkeys([coordinate], marks[0]) if marks else {}
        for pointer, told in within.items():
            mark = Deprecation.from_openapi(told)
            self._deprecated |= {f"{operation} body {pointer}": mark} if mark is not None else {}
        told = [told for model in answers if model is not None for _, told in _places_of(model, "serialization")]
        self._answers_end = any(Deprecation.from_openapi(one) is not None for one in told)

    @property
    def may_end(self) -> bool:
        """Whether anything that a request can use of it, or that it answers, is deprecated."""
        return bool(self._deprecated) or self._answers_end

    def used(self, sent: Iterable[str], body: Any) -> frozenset[str]:
        """The operation, the parameters that were sent (fields of the query's model), and the places of the body."""
        if not sent and body is None:
            return self._bare
        found = {self.operation, *(self._parameters[name] for name in sent)}
        _collect(f"{self.operation} body ", body, self._body, found)
        return frozenset(found)

    def notice(self, used: frozenset[str], url: str) -> list[tuple[bytes, bytes]]:
        """`Deprecation` (RFC 9745), `Sunset` (RFC 8594), each of what ends first, and a `Link` to what is known of it.

        The link alone where only something of the answer will end, since nobody can tell whether it is read.
        """
        ending = [mark for coordinate, mark in self._deprecated.items() if coordinate in used]
        link = f'<{url}/v1/schema/changes>; rel="deprecation"; type="application/json"'
        told = [(b"link", link.encode())] if ending or self._answers_end else []
        if not ending:
            return told
        since = int(_midnight(min(mark.since for mark in ending)).timestamp())
        sunset = format_datetime(_midnight(min(mark.sunset for mark in ending)), usegmt=True)
        return [(b"deprecation", b"@%d" % since), (b"sunset", sunset.encode()), *told]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _places_of(model: type[BaseModel], mode: JsonSchemaMode) -> Iterator[tuple[str, Any]]:
    schema = model.model_json_schema(ref_template=_REF, mode=mode)
    components = {name: to_openapi(told) for name, told in schema.pop("$defs", {}).items()}
    return places(components, to_openapi(schema))


def _tree(pointers: Any) -> Tree:
    tree: Tree = {}
    for pointer in pointers:
        here = tree
        for part in pointer.split("/")[1:]:
            here = here.setdefault(part, {})
    return tree


def _collect(path: str, value: Any, tree: Tree, found: set[str]) -> None:
    """Adds the declared places that a value has. Names that a client makes up, as in `metadata`, count as one place."""
    if isinstance(value, list):
        inner = tree.get("*")
        for item in value if inner else ():
            _collect(f"{path}/*", item, inner or {}, found)
    elif isinstance(value, dict):
        for name, item in value.items():
            part = name if name in tree else "*"
            if part in tree:
                found.add(f"{path}/{part}")
                _collect(f"{path}/{part}", item, tree[part], found)
