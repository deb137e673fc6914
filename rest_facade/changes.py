"""What differs between two OpenAPI documents of REST v1, in words for a partner; and which of it was not announced in time.

Coordinates: `GET /v1/me` an operation, `GET /v1/events?type` a parameter, `POST /v1/orders body /lines/*/sku` a place of what is
sent, `GET /v1/me 200 /handle` a place of what is answered (JSON pointers, RFC 6901, with `*` for any item),
`POST /v1/webhooks order.created /data/id` a place of what is posted for an event.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from db.deprecation import Deprecation
from resolvers.releases import Change, Kind
from rest_facade.schema_changes import Difference, Json, SchemaPair, places

_METHODS = ("get", "put", "post", "patch", "delete")


def changes_between(old: Json, new: Json) -> tuple[Change, ...]:
    """What two documents differ in. Summaries, descriptions and examples are no change."""
    known, marks = deprecations_of(old), deprecations_of(new)
    found = [_with_mark(change, known) for change in _Comparison(old, new).changes()]
    newly = [deprecation_change(at, mark) for at, mark in marks.items() if known.get(at) != mark]
    return tuple(found + newly)


def deprecation_change(coordinate: str, mark: Deprecation) -> Change:
    """A deprecation as a change."""
    message = f"`{coordinate}` is deprecated and may be gone from {mark.sunset}; use {mark.replacement}."
    return Change("rest", "deprecated", coordinate, message, _keys(coordinate), deprecation=mark)


def unannounced(changes: Iterable[Change], ended: frozenset[str]) -> list[Change]:
    """The breaking changes of nothing that has ended: neither the place itself, nor one around it, nor the operation."""
    return [change for change in changes if change.kind == "breaking" and ended.isdisjoint(change.within)]


def deprecations_of(document: Json) -> dict[str, Deprecation]:
    """What of a document will end, by coordinate."""
    return {at: mark for at, told in coordinates(document) if (mark := Deprecation.from_openapi(told)) is not None}


def coordinates(document: Json) -> Iterator[tuple[str, Json]]:
    """Every coordinate of a document, with what the document says there."""
    schemas = document["components"]["schemas"]
    for name, operation in _operations(document).items():
        yield name, operation
        yield from ((_parameter(name, told), told) for told in operation.get("parameters", ()))
        for content in operation.get("requestBody", {}).get("content", {}).values():
            yield from ((f"{name} body {at}", told) for at, told in places(schemas, content["schema"]) if at)
        for status, answer in operation["responses"].items():
            for content in answer.get("content", {}).values():
                yield from ((f"{name} {status} {at}", told) for at, told in places(schemas, content["schema"]) if at)


def _operations(document: Json) -> dict[str, Json]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in _METHODS
    }


def _parameter(operation: str, told: Json) -> str:
    return f"{operation}?{told['name']}" if told["in"] == "query" else f"{operation} {told['in']} {told['name']}"


def _within(coordinate: str) -> tuple[str, ...]:
    """A coordinate, the places around it, and its operation."""
    method, path, *rest = coordinate.split(" ")
    found, operation = [coordinate], f"{method} {path.split('?')[0]}"
    if len(rest) == 2 and rest[1].startswith("/"):
        parts = rest[1].split("/")
        found += [f"{operation} {rest[0]} {'/'.join(parts[:end])}" for end in range(len(parts) - 1, 1, -1)]
    return (*found, operation)


def _keys(coordinate: str) -> frozenset[str]:
    """Who is touched: senders of a parameter or a place of the body; for anything else, callers of the operation."""
    own = "?" in coordinate or " body /" in coordinate
    return frozenset({coordinate if own else _within(coordinate)[-1]})


def _with_mark(change: Change, known: dict[str, Deprecation]) -> Change:
    mark = next((known[at] for at in change.within if at in known), None)
    if change.kind != "breaking" or mark is None:
        return change
    return replace(change, message=f"{change.message[:-1]}; use {mark.replacement}.", deprecation=mark)


class _Comparison:
    """Two documents side by side."""

    def __init__(self, old: Json, new: Json) -> None:
        self._old, self._new = old, new
        schemas = (old["components"]["schemas"], new["components"]["schemas"])
        self._sent, self._read = SchemaPair(*schemas, "sent"), SchemaPair(*schemas, "read")

    def changes(self) -> Iterator[Change]:
        before, after = _operations(self._old), _operations(self._new)
        for name in [name for name in before if name not in after]:
            yield _change("breaking", name, "is gone")
        for name, operation in after.items():
            if name not in before:
                yield _change("added", name, "is new")
            else:
                yield from self._operation(name, before[name], operation)

    def _operation(self, name: str, old: Json, new: Json) -> Iterator[Change]:
        yield from self._parameters(name, old.get("parameters", ()), new.get("parameters", ()))
        yield from self._body(name, old.get("requestBody", {}), new.get("requestBody", {}))
        yield from self._answers(name, old["responses"], new["responses"])
        yield from self._events(name, old.get("callbacks", {}), new.get("callbacks", {}))
        missing = _scopes(new) - _scopes(old)
        for scope in sorted(missing):
            yield _change("breaking", name, f"needs a token with the scope {scope}")
        if new.get("security") and not old.get("security"):
            yield _change("breaking", name, "needs a token")

    def _parameters(self, name: str, old: Iterable[Json], new: Iterable[Json]) -> Iterator[Change]:
        before, after = ({_parameter(name, told): told for told in side} for side in (old, new))
        for at in [at for at in before if at not in after]:
            yield _change("breaking", at, "is gone")
        for at, told in after.items():
            must = told.get("required") and not before.get(at, {}).get("required")
            if at not in before:
                kind: Kind = "breaking" if must else "added"
                yield _change(kind, at, "is new and must be given" if must else "is new", name if must else "")
                continue
            if must:
                yield _change("breaking", at, "must be given", name)
            for one in self._sent.differences(before[at].get("schema", {}), told.get("schema", {})):
                yield _change(one.kind, at, one.told)

    def _body(self, name: str, old: Json, new: Json) -> Iterator[Change]:
        before, after = old.get("content", {}), new.get("content", {})
        if before and not after:
            yield _change("breaking", name, "takes no body")
        if new.get("required") and not old.get("required"):
            yield _change("breaking", name, "must be sent with a body")
        for media in before if after else ():
            if media not in after:
                yield _change("breaking", name, f"takes no {media}")
                continue
            for one in self._sent.differences(before[media]["schema"], after[media]["schema"]):
                # fields of forms are not recorded one by one
                everyone = one.all_touched or not one.pointer or media == "multipart/form-data"
                yield _placed(f"{name} body", one, name if everyone else "")

    def _answers(self, name: str, old: Json, new: Json) -> Iterator[Change]:
        for status, answer in old.items():
            if status in new:
                yield from self._answer(name, status, answer, new[status])
            elif status < "4":
                yield _change("breaking", name, f"never answers {status}")
        for status in [status for status in new if status not in old]:
            yield _change("careful", name, f"can answer {status}")

    def _answer(self, name: str, status: str, old: Json, new: Json) -> Iterator[Change]:
        for header in sorted(old.get("headers", {}).keys() - new.get("headers", {}).keys()):
            yield _change("breaking", name, f"has no header {header} with {status}")
        before, after = old.get("content", {}), new.get("content", {})
        for media in before:
            if media not in after:
                yield _change("breaking", name, f"does not answer {status} as {media}")
                continue
            for one in self._read.differences(before[media]["schema"], after[media]["schema"]):
                yield _placed(f"{name} {status}", one, name)

    def _events(self, name: str, old: Json, new: Json) -> Iterator[Change]:
        """What is posted to webhooks; it touches who has one for such events."""
        for event in [event for event in old if event not in new]:
            yield _change("breaking", f"{name} {event}", "is gone", event)
        for event, told in new.items():
            if event not in old:
                yield _change("added", f"{name} {event}", "is new")
                continue
            for one in self._read.differences(_posted(old[event]), _posted(told)):
                yield _placed(f"{name} {event}", one, event)


def _posted(callback: Json) -> Json:
    [path] = callback.values()
    schema: Json = path["post"]["requestBody"]["content"]["application/json"]["schema"]
    return schema


def _scopes(operation: Json) -> set[str]:
    return {scope for way in operation.get("security", ()) for scope in way.get("oauth", ())}


def _placed(where: str, one: Difference, key: str) -> Change:
    return _change(one.kind, f"{where} {one.pointer}".rstrip(), one.told, key)


def _change(kind: Kind, coordinate: str, told: str, key: str = "") -> Change:
    keys: Any = frozenset() if kind == "added" else frozenset({key}) if key else _keys(coordinate)
    return Change("rest", kind, coordinate, f"`{coordinate}` {told}.", keys, _within(coordinate))
