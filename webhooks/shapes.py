"""What each event carries: the REST body of its noun, its JSON Schema, and an example made from that."""

import re
from functools import cache
from typing import Any, Final

from db.bodies.affiliates import ClickBody, ConversionBody
from db.bodies.assets import AssetBody
from db.bodies.base import Body
from db.bodies.orders import OrderBody
from db.bodies.products import ProductBody
from db.bodies.tryon import TryonSessionBody
from db.bodies.webhooks import EventBody, EventTypeBody
from webhooks.events import CATALOGUE, OPERATIONAL, EventType, kind_of


class WebhookNews(Body):
    """What is told of an endpoint of the reader's own."""

    id: str
    url: str
    status: str
    message: str


SHAPES: Final[dict[str, type[Body]]] = {
    "order.created": OrderBody,
    "order.fulfilled": OrderBody,
    "product.updated": ProductBody,
    "design.published": AssetBody,
    "affiliate.click": ClickBody,
    "affiliate.conversion": ConversionBody,
    "tryon.session.created": TryonSessionBody,
    **dict.fromkeys(OPERATIONAL, WebhookNews),
}
_ULID = "01JD3T8Q5YB9N7K0V2M4XWZC6R"
_BY_TYPE: Final = {"integer": 1, "number": 1.0, "boolean": True, "null": None, "string": "text"}


@cache
def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a whole event of this type."""
    schema = EventBody.model_json_schema(mode="serialization")
    shape = SHAPES[name].model_json_schema(mode="serialization")
    definitions = {**schema.pop("$defs", {}), **shape.pop("$defs", {})}
    properties = schema["properties"] | {
        "type": {"type": "string", "const": name},
        "version": {"type": "string", "const": kind_of(name).version},
        "data": shape,
    }
    return {**schema, "properties": properties, "$defs": definitions, "title": name}


@cache
def example_of(name: str) -> dict[str, Any]:
    """An event of this type as it might be."""
    schema = schema_of(name)
    made: dict[str, Any] = _example(schema, schema["$defs"])
    made["data"].pop("truncated", None)
    return made | {"resource": {"id": made["data"].get("id", made["resource"]["id"]), "sequence": 1}}


def _example(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _example(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    for word in ("const", "example"):
        if word in schema:
            return schema[word]
    if schema.get("examples") or schema.get("enum"):
        return (schema.get("examples") or schema["enum"])[0]
    if choices := schema.get("anyOf"):
        return _example(choices[0], definitions)
    if schema.get("type") == "object":
        return {key: _example(part, definitions) for key, part in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [_example(schema.get("items", {}), definitions)]
    if pattern := schema.get("pattern"):
        prefix = re.match(r"\^([a-z]+)_", pattern)
        return f"{prefix[1]}_{_ULID}" if prefix else "0" * 64  # ids, and digests in hex
    return _BY_TYPE.get(schema.get("type", "object"), {})


def described(kind: EventType) -> EventTypeBody:
    """A type as the catalogue tells it."""
    return EventTypeBody.model_construct(
        name=kind.name,
        group=kind.group,
        version=kind.version,
        description=kind.description,
        event_schema=schema_of(kind.name),
        example=example_of(kind.name),
    )


def catalogue() -> list[EventTypeBody]:
    """Every type that can be subscribed to and whose shape is known."""
    return [described(kind) for kind in (*CATALOGUE.values(), *OPERATIONAL.values()) if kind.name in SHAPES]
