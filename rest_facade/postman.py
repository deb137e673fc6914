"""A Postman collection (format v2.1.0), made from the OpenAPI document.

Requests run in the order of the folders: the first one fetches a token, and whatever an answer names is kept in the
collection's variables for the requests that come after it.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import orjson

SCHEMA: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
# The collection's variables that hold ids, by the prefix of the id.
NOUNS: Final = {
    "sf": "storefront_id", "prd": "product_id", "var": "variant_id", "ord": "order_id", "aff": "link_id",
    "clk": "click_id", "cnv": "conversion_id", "ast": "asset_id", "tos": "session_id", "whk": "webhook_id",
    "evt": "event_id", "dlv": "delivery_id",
}  # fmt: skip
_ID = re.compile(r"\b([a-z]{2,3})_[0-9A-HJKMNP-TV-Z]{26}\b")
_KEEP_TOKEN: Final = [
    "const token = pm.response.json().access_token;",
    "if (token) pm.collectionVariables.set('access_token', token);",
]
_KEEP_IDS: Final = [
    f"const nouns = {orjson.dumps(NOUNS).decode()};",
    "let body = {};",
    "try { body = pm.response.json(); } catch (noJson) { body = {}; }",
    "const first = Array.isArray(body.data) ? body.data[0] : body;",
    "for (const id of [first?.id, first?.variants?.[0]?.id]) {",
    "  const noun = typeof id === 'string' ? nouns[id.split('_')[0]] : undefined;",
    "  if (noun) pm.collectionVariables.set(noun, id);",
    "}",
]
_GRAPHQL: Final = """query Page($first: Int) {
  storefronts(first: $first) {
    nodes { id handle owner { handle } products(first: 3) { nodes { title price { amount currency } } } }
  }
}"""


def collection(document: dict[str, Any]) -> dict[str, Any]:
    """The collection of an OpenAPI document made by `rest_facade.openapi.document`."""
    url = document["servers"][0]["url"]
    folders: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in document["tags"]}
    for method, path, operation in sorted(_operations(document), key=_late):
        folders[operation["tags"][0]].append(_item(method, path, operation))
    return {
        "info": {
            "name": document["info"]["title"], "version": document["info"]["version"], "schema": SCHEMA,
            "description": "Set client_id and client_secret in the collection's variables, send 'Get a token', go on.",
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{access_token}}", "type": "string"}]},
        "event": [_script(_KEEP_IDS)],
        "variable": [{"key": key, "value": value, "type": "string"} for key, value in _variables(url, document)],
        "item": [_token(), *({"name": name, "item": items} for name, items in folders.items()), _graphql()],
    }  # fmt: skip


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _late(operation: tuple[str, str, Any]) -> tuple[bool, bool]:
    """Requests that need an id come after those that find or make one; what takes away comes last."""
    method, path, _ = operation
    return method == "DELETE", "{" in path


def _variables(url: str, document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "base_url", url
    yield from ((name, "") for name in ("client_id", "client_secret", "access_token"))
    named = {_variable(path, name) for path in document["paths"] for name in re.findall(r"{(\w+)}", path)}
    yield from ((name, "") for name in sorted({*NOUNS.values(), *named}))


def _variable(path: str, name: str) -> str:
    """The variable that fills a path's parameter: `/v1/storefronts/{id}` wants a `storefront_id`."""
    if name != "id":
        return name
    noun = path.partition("/{id}")[0].rsplit("/", 1)[-1]
    return f"{noun[:-3]}y_id" if noun.endswith("ies") else f"{noun.removesuffix('s')}_id"


def _item(method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    parameters = operation["parameters"]
    request: dict[str, Any] = {
        "method": method,
        "description": operation["summary"],
        "header": [_pair(one, disabled=True) for one in parameters if one["in"] == "header"],
        "url": _url(path, [one for one in parameters if one["in"] == "query"]),
    }
    if not operation["security"]:
        request["auth"] = {"type": "noauth"}
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        request["body"] = _raw(content["application/json"]["example"])
        request["header"].append({"key": "Content-Type", "value": "application/json"})
    elif "multipart/form-data" in content:
        request["body"] = _form(content["multipart/form-data"])
    return {"name": operation["summary"], "request": request, "response": list(_responses(request, operation))}


def _url(path: str, queries: list[dict[str, Any]]) -> dict[str, Any]:
    filled = re.sub(r"{(\w+)}", lambda found: f":{found[1]}", path)
    query = [_pair(one, disabled=not one["required"]) for one in queries]
    asked = "&".join(f"{one['key']}={one['value']}" for one in query if not one["disabled"])
    return {
        "raw": "{{base_url}}" + filled + (f"?{asked}" if asked else ""),
        "host": ["{{base_url}}"],
        "path": filled.strip("/").split("/"),
        "query": query,
        "variable": [
            {"key": name, "value": f"{{{{{_variable(path, name)}}}}}"} for name in re.findall(r"{(\w+)}", path)
        ],
    }


def _pair(parameter: dict[str, Any], *, disabled: bool) -> dict[str, Any]:
    name = parameter["name"]
    value = "{{storefront_id}}" if name == "storefrontId" else ""
    return {"key": name, "value": value, "description": parameter.get("description", ""), "disabled": disabled}


def _raw(example: Any) -> dict[str, Any]:
    text = orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
    filled = _ID.sub(lambda found: f"{{{{{NOUNS[found[1]]}}}}}" if found[1] in NOUNS else found[0], text)
    return {"mode": "raw", "raw": filled, "options": {"raw": {"language": "json"}}}


def _form(content: dict[str, Any]) -> dict[str, Any]:
    fields: list[dict[str, Any]] = []
    for name, told in content["schema"]["properties"].items():
        field = {"key": name, "description": told.get("description", ""), "disabled": name not in content["example"]}
        if told.get("format") == "binary":
            fields.append(field | {"type": "file", "src": None})
        else:
            fields.append(field | {"type": "text", "value": _text(content["example"].get(name, ""))})
    return {"mode": "formdata", "formdata": fields}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _responses(request: dict[str, Any], operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for status, answer in operation["responses"].items():
        for media_type, content in answer.get("content", {}).items():
            if content.get("example") is not None:
                yield {
                    "name": answer["description"], "originalRequest": request, "code": int(status),
                    "_postman_previewlanguage": "json", "header": [{"key": "Content-Type", "value": media_type}],
                    "body": orjson.dumps(content["example"], option=orjson.OPT_INDENT_2).decode(),
                }  # fmt: skip


def _script(lines: list[str]) -> dict[str, Any]:
    return {"listen": "test", "script": {"type": "text/javascript", "exec": lines}}


def _token() -> dict[str, Any]:
    body = {"grant_type": "client_credentials", "client_id": "{{client_id}}", "client_secret": "{{client_secret}}"}
    return {
        "name": "Get a token", "event": [_script(_KEEP_TOKEN)], "response": [],
        "request": {
            "method": "POST", "auth": {"type": "noauth"}, "url": _url("/oauth/token", []), "body": _raw(body),
            "header": [{"key": "Content-Type", "value": "application/json"}],
            "description": "A token lives for an hour; send this again for the next one.",
        },
    }  # fmt: skip


def _graphql() -> dict[str, Any]:
    variables = orjson.dumps({"first": 3}).decode()
    return {
        "name": "GraphQL: a page of storefronts with their products", "response": [],
        "request": {
            "method": "POST", "url": _url("/graphql", []),
            "header": [{"key": "Content-Type", "value": "application/json"}],
            "body": {"mode": "graphql", "graphql": {"query": _GRAPHQL, "variables": variables}},
        },
    }  # fmt: skip
