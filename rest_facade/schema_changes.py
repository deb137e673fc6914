"""What differs between two JSON schemas of OpenAPI 3.0, for those who send such values or for those who read them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from resolvers.releases import Kind

Json = Mapping[str, Any]
# Words that bound a value, and whether a larger number lets more through.
_BOUNDS: Final = {
    "maxLength": True, "maximum": True, "maxItems": True, "maxProperties": True,
    "minLength": False, "minimum": False, "minItems": False, "minProperties": False,
}  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """`pointer`: where in the value (RFC 6901, `*` for any item or name). `all_touched`: also who does not send that place."""

    kind: Kind
    pointer: str
    told: str
    all_touched: bool = False


@dataclass(frozen=True)
class SchemaPair:
    """Two documents' components, and who meets the values: `sent` by clients or `read` by them."""

    old: Json
    new: Json
    side: Literal["sent", "read"]

    def differences(
        self, old: Json, new: Json, pointer: str = "", seen: tuple[tuple[str, str], ...] = ()
    ) -> Iterator[Difference]:
        """Every difference that a client can notice."""
        pair = (str(old.get("$ref")), str(new.get("$ref")))
        if "$ref" in old and pair in seen:
            return
        seen, old, new = (*seen, pair), opened(self.old, old), opened(self.new, new)
        yield from self._own(old, new, pointer)
        yield from self._choices(old, new, pointer, seen)
        yield from self._properties(old, new, pointer, seen)
        for word in ("items", "additionalProperties"):
            before, after = old.get(word), new.get(word)
            if isinstance(before, dict) and isinstance(after, dict):
                yield from self.differences(before, after, f"{pointer}/*", seen)

    def _own(self, old: Json, new: Json, pointer: str) -> Iterator[Difference]:
        sent = self.side == "sent"
        was, now = old.get("type"), new.get("type")
        if was != now and not (sent and (was, now) == ("integer", "number")):
            yield Difference("breaking", pointer, f"is {_kind(now)} and was {_kind(was)}")
            return
        if bool(old.get("nullable")) != bool(new.get("nullable")) and bool(new.get("nullable")) != sent:
            yield Difference("breaking", pointer, "may no longer be null" if sent else "may be null")
        if old.get("format") != new.get("format"):
            told = f"has the format {new.get('format')} and had {old.get('format')}"
            yield Difference("breaking" if sent else "careful", pointer, told)
        yield from self._words(old.get("enum"), new.get("enum"), pointer)
        if sent:
            yield from _bounds(old, new, pointer)

    def _words(self, old: list[Any] | None, new: list[Any] | None, pointer: str) -> Iterator[Difference]:
        sent = self.side == "sent"
        if old is None or new is None:
            if old != new and (old is None) == sent:
                yield Difference("breaking" if sent else "careful", pointer, "takes other values than before")
            return
        for word in [word for word in old if word not in new]:
            told = f"no longer takes `{word}`" if sent else f"is never `{word}` any more"
            yield Difference("breaking" if sent else "careful", pointer, told)
        for word in [word for word in new if word not in old]:
            yield Difference("added" if sent else "careful", pointer, f"can be `{word}`")

    def _choices(self, old: Json, new: Json, pointer: str, seen: tuple[tuple[str, str], ...]) -> Iterator[Difference]:
        sent = self.side == "sent"
        for word in ("anyOf", "oneOf"):
            before, after = old.get(word, []), new.get(word, [])
            if len(before) == len(after):
                for one, other in zip(before, after, strict=True):
                    yield from self.differences(one, other, pointer, seen)
            elif len(before) > len(after):
                told = "takes fewer kinds of values" if sent else "has fewer kinds of values"
                yield Difference("breaking" if sent else "careful", pointer, told)
            else:
                yield Difference("added" if sent else "careful", pointer, "can be of more kinds")

    def _properties(
        self, old: Json, new: Json, pointer: str, seen: tuple[tuple[str, str], ...]
    ) -> Iterator[Difference]:
        sent = self.side == "sent"
        before, after = old.get("properties", {}), new.get("properties", {})
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        for name in [name for name in before if name not in after]:
            yield Difference("breaking", f"{pointer}/{name}", "is gone")
        for name, told in after.items():
            here = f"{pointer}/{name}"
            if name not in before:
                must = sent and name in needs
                said = "is new and must be given" if must else "is new"
                yield Difference("breaking" if must else "added", here, said, all_touched=must)
                continue
            if sent and name in needs - needed:
                yield Difference("breaking", here, "must be given", all_touched=True)
            if not sent and name in needed - needs:
                yield Difference("breaking", here, "may be absent")
            yield from self.differences(before[name], told, here, seen)
        if sent and old.get("additionalProperties", True) is not False and new.get("additionalProperties") is False:
            yield Difference("breaking", pointer, "takes no other fields")


def _bounds(old: Json, new: Json, pointer: str) -> Iterator[Difference]:
    for word, larger_is_wider in _BOUNDS.items():
        was, now = old.get(word), new.get(word)
        if now is not None and (was is None or (now < was if larger_is_wider else now > was)):
            yield Difference("breaking", pointer, f"has the bound {word} {now}" + (f" and had {was}" if was else ""))
    if new.get("pattern") is not None and new.get("pattern") != old.get("pattern"):
        yield Difference("breaking" if old.get("pattern") is None else "careful", pointer, "has another pattern")


def _kind(told: Any) -> str:
    return f"of type {told}" if told else "of any type"


def opened(components: Json, schema: Any) -> dict[str, Any]:
    """A schema with its reference followed and the parts of `allOf` put into one."""
    found: dict[str, Any] = dict(schema) if isinstance(schema, dict) else {}
    while "$ref" in found:
        found = dict(components.get(found["$ref"].rsplit("/", 1)[-1], {}))
    parts = [opened(components, part) for part in found.pop("allOf", ())]
    whole: dict[str, Any] = {}
    for part in [*parts, found] if parts else ():  # the later ones are the narrower ones
        properties = {**whole.get("properties", {}), **part.get("properties", {})}
        required = [*whole.get("required", ()), *part.get("required", ())]
        whole = whole | part | ({"properties": properties, "required": required} if properties else {})
    return whole or found


def places(
    components: Json, schema: Json, pointer: str = "", seen: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Json]]:
    """Every place of a value with the schema that stands there; one that repeats itself is followed once."""
    name = str(schema.get("$ref", ""))
    if name and name in seen:
        return
    seen, here = seen | {name} if name else seen, opened(components, schema)
    yield pointer, here
    for field, told in here.get("properties", {}).items():
        yield from places(components, told, f"{pointer}/{field}", seen)
    for word in ("items", "additionalProperties"):
        if isinstance(here.get(word), dict):
            yield from places(components, here[word], f"{pointer}/*", seen)
    for choice in (*here.get("anyOf", ()), *here.get("oneOf", ())):
        inner = places(components, choice, pointer, seen)
        yield from ((where, told) for where, told in inner if where != pointer)
