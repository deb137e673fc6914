"""OpenAPI 3.0, made from the route table and its models. No second description of a route exists."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from auth.scopes import SCOPES
from db.bodies.webhooks import EventBody
from db.ids import ULID_PATTERN
from resolvers.platform import Platform
from rest_facade.postman import collection
from rest_facade.problems import TITLES
from rest_facade.route import Route
from rest_facade.routes import ROUTES
from rest_facade.schemas import to_openapi
from wire.sse import MEDIA as EVENT_STREAM

_REF = "#/components/schemas/{model}"
_JSON, _PROBLEM = "application/json", "application/problem+json"
PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "For programs."},
        "request_id": {"type": "string"},
        "required_scope": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "Every fault of the input at once.",
            "items": {
                "type": "object",
                "required": ["pointer", "message"],
                "properties": {
                    "pointer": {"type": "string", "description": "Where: a JSON pointer (RFC 6901)."},
                    "message": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
    },
    "example": {
        "type": "urn:fshnista:problem:not_found", "title": "Not found", "status": 404, "code": "not_found",
        "detail": "There is no storefront sf_01JD3T8Q5YB9N7K0V2M4XWZC6R that you can see.",
        "request_id": "req_01JD3T8Q5YB9N7K0V2M4XWZC6R",
    },
}  # fmt: skip
_TEXT = {"type": "string"}
HEADERS: Final = {
    "X-Request-Id": {"description": "Names this request in our logs.", "schema": _TEXT},
    "API-Version": {"description": "major.minor.patch of this API.", "schema": _TEXT},
    "RateLimit-Policy": {"description": "Your quota (IETF draft).", "schema": _TEXT},
    "RateLimit": {"description": "What is left of it.", "schema": _TEXT},
    "ETag": {"description": "Strong validator of the body.", "schema": _TEXT},
    "Link": {"description": "The next page (RFC 8288), or what is known of a deprecation.", "schema": _TEXT},
    "Deprecation": {"description": "The request used something deprecated since then (RFC 9745).", "schema": _TEXT},
    "Sunset": {"description": "From when on that may be gone (RFC 8594).", "schema": _TEXT},
    "Location": {"description": "Where the new thing is.", "schema": _TEXT},
    "Retry-After": {"description": "Whole seconds after which the next request passes.", "schema": _TEXT},
    "WWW-Authenticate": {"description": "What is wrong with the credentials (RFC 6750).", "schema": _TEXT},
}
_CONDITIONS = {
    "GET": ("If-None-Match",),
    "POST": ("Idempotency-Key",),
    "PATCH": ("If-Match",),
    "PUT": ("If-Match",),
    "DELETE": ("If-Match",),
}
_HEADER_FORM = {"Idempotency-Key": {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$"}}
_HEADER_TOLD = {
    "If-None-Match": "ETags that you have; an unchanged representation answers 304.",
    "If-Match": "The ETag that you last read; a changed one answers 412.",
    "Last-Event-ID": "For a stream: the id of the last event that came, after which it goes on.",
    "Idempotency-Key": "The same key and body within 24 hours gives the first answer again.",
}


SIGNED_HEADERS: Final = {
    "webhook-id": "The event's id, the same at every attempt.",
    "webhook-timestamp": "When this attempt was made, in seconds since 1970.",
    "webhook-signature": "One `v1,` (HMAC-SHA256) and one `v1a,` (Ed25519) for each live secret.",
}


def document(table: Iterable[Route] = ROUTES, *, url: str, version: str) -> dict[str, Any]:
    """The OpenAPI 3.0.3 document of a route table."""
    routes = list(table)
    names, schemas = _schemas(routes)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in routes:
        paths[route.path][route.method.lower()] = _operation(route, names)
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "FSHNiSTA API", "version": version,
            "description": "REST v1. Joined reads are GraphQL's, at /graphql; both have the same ids and rules.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "servers": [{"url": url}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": dict(paths),
        "components": {
            "schemas": {"Problem": PROBLEM, **schemas},
            "headers": HEADERS,
            "responses": {_response_name(status): _problem(status) for status in sorted(TITLES)},
            "securitySchemes": _security_schemes(),
        },
    }  # fmt: skip


def _schemas(routes: list[Route]) -> tuple[dict[Any, str], dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], str], None] = {}
    for route in routes:
        if route.body is not None:
            wanted[route.body, "validation"] = None
        told = [*route.answers.values(), *route.tells.values(), *([EventBody] if route.tells else [])]
        wanted.update({(model, "serialization"): None for model in told if model is not None})
    pairs: Any = list(wanted)
    found, definitions = models_json_schema(pairs, ref_template=_REF)
    names = {key: schema["$ref"].rsplit("/", 1)[-1] for key, schema in found.items() if "$ref" in schema}
    return names, {name: to_openapi(schema) for name, schema in definitions.get("$defs", {}).items()}


def _operation(route: Route, names: dict[Any, str]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": _parameters(route),
        "responses": _responses(route, names),
        "security": []
        if route.public
        else [{"oauth": [route.scope] if route.scope else []}, {"bearer": []}, {"apiKey": []}],
    }
    if route.deprecated is not None:
        operation |= route.deprecated.as_openapi
    if route.body is not None:
        content = {"schema": {"$ref": _REF.format(model=names[route.body, "validation"])}, "example": route.example}
        operation["requestBody"] = {"required": True, "content": {_JSON: content}}
    elif route.multipart:
        content = {"schema": to_openapi(route.multipart)} | (
            {"example": route.example} if route.example is not None else {}
        )
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": content}}
    if route.tells:
        operation["callbacks"] = {name: _callback(name, model, names) for name, model in route.tells.items()}
    return operation


def _callback(name: str, model: type[BaseModel], names: dict[Any, str]) -> dict[str, Any]:
    """What is posted for an event of this type; OpenAPI 3.0 has no `webhooks` beside its callbacks."""
    data = {
        "type": {"type": "string", "enum": [name]},
        "data": {"$ref": _REF.format(model=names[model, "serialization"])},
    }
    event = {"$ref": _REF.format(model=names[EventBody, "serialization"])}
    schema = {"allOf": [event, {"type": "object", "required": ["type", "data"], "properties": data}]}
    headers = [
        {"name": header, "in": "header", "required": True, "schema": {"type": "string"}, "description": told}
        for header, told in SIGNED_HEADERS.items()
    ]
    post = {
        "summary": f"{name}, signed by Standard Webhooks",
        "parameters": headers,
        "requestBody": {"required": True, "content": {_JSON: {"schema": schema}}},
        "responses": {"2XX": {"description": "Taken. Anything else, or nothing within 15 seconds, is tried again."}},
    }
    return {"{$request.body#/url}": {"post": post}}


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [_path_parameter(route.path, name) for name in re.findall(r"{(\w+)", route.path)]
    schema = to_openapi(route.query.model_json_schema(ref_template=_REF))
    required = schema.get("required", [])
    for name, told in schema.get("properties", {}).items():
        parameter = {"name": name, "in": "query", "required": name in required, "schema": told}
        moved = [word for word in told if word in ("description", "deprecated") or word.startswith("x-")]
        parameter |= {word: told.pop(word) for word in moved}
        found.append(parameter)
    return found + [_header_parameter(name) for name in _condition_headers(route)]


def _condition_headers(route: Route) -> list[str]:
    names = () if route.public and not _is_read(route) else _CONDITIONS.get(route.method, ())
    streamed = ["Last-Event-ID"] if route.streamed else []
    return [name for name in names if name != "If-Match" or 412 in route.errors] + streamed


def _is_read(route: Route) -> bool:
    """Whether it answers with a representation, and so heeds If-None-Match."""
    return route.method == "GET" and 200 in route.answers


def _header_parameter(name: str) -> dict[str, Any]:
    schema = _HEADER_FORM.get(name, _TEXT)
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": _HEADER_TOLD[name]}


def _path_parameter(path: str, name: str) -> dict[str, Any]:
    schema = {"type": "string", "pattern": f"^[a-z]{{2,3}}_{ULID_PATTERN}$"} if name == "id" else _TEXT
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": f"The {name} in {path}."}


def _responses(route: Route, names: dict[Any, str]) -> dict[str, Any]:
    found = {str(status): _answer(route, status, model, names) for status, model in route.answers.items()}
    if _is_read(route):
        found["304"] = {"description": "Unchanged since the ETag that you have.", "headers": _headers("ETag")}
    for status in sorted({*_common_errors(route), *route.errors}):
        found[str(status)] = {"$ref": f"#/components/responses/{_response_name(status)}"}
    return found


def _common_errors(route: Route) -> set[int]:
    errors = set() if route.public else {401, 429}
    if route.scope is not None:
        errors.add(403)
    if "{" in route.path:
        errors.add(404)
    if route.method == "POST" and not route.public:
        errors |= {409, 422}
    if route.body is not None or route.multipart:
        errors |= {400, 413, 415, 422, 404}
    return errors | {422}


def _answer(route: Route, status: int, model: type[BaseModel] | None, names: dict[Any, str]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": _GOOD.get(status, "Done."),
        "headers": _headers(*_good_headers(route, status)),
    }
    if model is None:
        return told
    schema: dict[str, Any] = {"$ref": _REF.format(model=names[model, "serialization"])}
    example = route.example_answer
    if route.listed:
        schema = _envelope(schema)
        example = {"data": [example], "has_more": False, "next_cursor": None}
    told["content"] = {route.content_type: {"schema": schema, "example": example}}
    if route.streamed:
        told["content"][EVENT_STREAM] = {"schema": _TEXT, "example": route.streamed}
    return told


_GOOD: Final = {
    200: "As asked.",
    201: "Created.",
    202: "Accepted.",
    204: "Done; there is no body.",
    302: "Go on there.",
}


def _good_headers(route: Route, status: int) -> list[str]:
    common = ["X-Request-Id", "API-Version"] + ([] if route.public else ["RateLimit-Policy", "RateLimit"])
    more = ["Location"] if status in (201, 302) else []
    more += ["Deprecation", "Sunset"] if route.use.may_end else []
    return common + more + (["ETag"] if status != 204 else []) + (["Link"] if route.listed or "Sunset" in more else [])


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _envelope(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["data", "has_more", "next_cursor"],
        "properties": {
            "data": {"type": "array", "items": item},
            "has_more": {"type": "boolean"},
            "next_cursor": {"type": "string", "nullable": True},
        },
    }


def _response_name(status: int) -> str:
    return TITLES[status].title().replace(" ", "")


def _problem(status: int) -> dict[str, Any]:
    more = {401: ["WWW-Authenticate"], 403: ["WWW-Authenticate"], 429: ["Retry-After"]}.get(status, [])
    schema = {"$ref": _REF.format(model="Problem")}
    headers = _headers("X-Request-Id", "API-Version", *more)
    return {"description": TITLES[status] + ".", "headers": headers, "content": {_PROBLEM: {"schema": schema}}}


def _security_schemes() -> dict[str, Any]:
    flow = {"tokenUrl": "/oauth/token", "scopes": SCOPES}
    return {
        "oauth": {"type": "oauth2", "flows": {"clientCredentials": flow}},
        "bearer": {"type": "http", "scheme": "bearer", "description": "A token, or in the sandbox an API key."},
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "Sandbox only."},
    }


def as_text(*, url: str, version: str) -> str:
    """The document as indented JSON."""
    return orjson.dumps(document(url=url, version=version), option=orjson.OPT_INDENT_2).decode()


def as_postman(*, url: str, version: str) -> str:
    """The document as a Postman collection, in indented JSON."""
    return orjson.dumps(collection(document(url=url, version=version)), option=orjson.OPT_INDENT_2).decode()


def description_routes(platform: Platform, version: str) -> list[StarletteRoute]:
    """`/openapi.json` and `/postman.json`, for everyone; made when they are first asked for."""
    return [
        _described("/openapi.json", lambda: as_text(url=platform.public_url, version=version)),
        _described("/postman.json", lambda: as_postman(url=platform.public_url, version=version)),
    ]


def _described(path: str, text: Callable[[], str]) -> StarletteRoute:
    @lru_cache(maxsize=1)
    def made() -> bytes:
        return text().encode()

    async def serve(_: Request) -> Response:
        return Response(made(), media_type="application/json", headers={"access-control-allow-origin": "*"})

    return StarletteRoute(path, serve)
