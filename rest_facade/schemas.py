"""From pydantic's JSON Schema (2020-12) to the dialect of OpenAPI 3.0."""

from typing import Any

_DROPPED = {
    "propertyNames", "patternProperties", "const", "examples", "title", "$defs", "anyOf", "exclusiveMinimum", "exclusiveMaximum",
}  # fmt: skip


def to_openapi(schema: Any) -> Any:
    """The same schema as OpenAPI 3.0 says it: `nullable`, one-valued enums, single examples."""
    if isinstance(schema, list):
        return [to_openapi(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    told = {name: _part(name, value) for name, value in schema.items() if name not in _DROPPED}
    if told.get("default", "") is None:
        del told["default"]
    if "const" in schema:
        told["enum"] = [schema["const"]]
    if schema.get("examples"):
        told["example"] = schema["examples"][0]
    for name, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if name in schema:
            told |= {limit: schema[name], name: True}
    for value in schema.get("patternProperties", {}).values():  # 3.0 can say of names nothing, of values this
        told["additionalProperties"] = to_openapi(value)
    if "patternProperties" in told:  # a word that 3.0 lacks; the values are still described
        [told["additionalProperties"]] = told.pop("patternProperties").values()
    return told | _any_of(schema["anyOf"]) if "anyOf" in schema else told


def _part(name: str, value: Any) -> Any:
    if name == "properties":
        return {field: to_openapi(item) for field, item in value.items()}
    return value if name in ("example", "default", "enum") else to_openapi(value)


def _any_of(choices: list[Any]) -> dict[str, Any]:
    real = [to_openapi(choice) for choice in choices if choice != {"type": "null"}]
    nullable = {"nullable": True} if len(real) < len(choices) else {}
    if len(real) > 1:
        return {"anyOf": real, **nullable}
    return {"allOf": real, **nullable} if "$ref" in real[0] and nullable else real[0] | nullable
