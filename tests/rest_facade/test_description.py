"""The OpenAPI document: valid, every operation with examples that hold, and true of the running server."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import OpenAPIV30SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from rest_facade.openapi import document
from tests.conftest import LiveServer

ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": "."}
DOCUMENT = document(url="https://api.example", version="1.0.0")
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]


async def test_it_is_valid() -> None:
    OpenAPIV30SpecValidator(DOCUMENT).validate()


async def test_the_server_serves_it(open_client: Any) -> None:
    assert (await open_client.get("/openapi.json")).json()["paths"].keys() == DOCUMENT["paths"].keys()


async def test_operations_have_names_of_their_own() -> None:
    names = [DOCUMENT["paths"][path][method]["operationId"] for path, method in OPERATIONS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
async def test_examples_hold(path: str, method: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    parts = list(operation.get("requestBody", {}).get("content", {}).values())
    parts += [part for answer in operation["responses"].values() for part in answer.get("content", {}).values()]
    for part in parts:
        if part["schema"].get("format") != "binary":
            check(part["schema"], part["example"])


def check(schema: dict[str, Any], value: Any) -> None:
    """Holds a value to a schema of the document. `nullable` is the only word of OpenAPI 3.0 that JSON Schema lacks."""
    resource = DRAFT4.create_resource(_translated(DOCUMENT))
    registry: Registry[Any] = Registry().with_resource("urn:document", resource)
    found = _translated(schema, "urn:document")
    errors = list(Draft202012Validator(found, registry=registry).iter_errors(value))
    assert not errors, errors[0]


def _translated(schema: Any, base: str = "") -> Any:
    if isinstance(schema, list):
        return [_translated(item, base) for item in schema]
    if not isinstance(schema, dict):
        return schema
    told = {name: _translated(item, base) for name, item in schema.items() if name != "nullable"}
    if isinstance(told.get("$ref"), str):
        told["$ref"] = base + told["$ref"]
    return {"anyOf": [told, {"type": "null"}]} if schema.get("nullable") is True else told


async def test_schemathesis_finds_nothing(live_server: LiveServer) -> None:
    """All checks, with requests made from the document, right ones and wrong ones; the same ones each time."""
    folder = Path(__file__).parent
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()",
        "--config-file", str(folder / "schemathesis.toml"),
        "run", f"{live_server.url}/openapi.json", "--url", live_server.url, "--checks", "all", "--mode", "all",
        "--header", f"Authorization: Bearer {live_server.token}", "--max-examples", "2", "--seed", "1", "--no-color",
        "--continue-on-failure", "--generation-database", "none", "--phases", "examples,coverage,fuzzing",
        env={**ENVIRONMENT, "SCHEMATHESIS_HOOKS": "tests.rest_facade.schemathesis_hooks"}, cwd=folder.parents[1],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told, _ = await program.communicate()
    assert program.returncode == 0, told.decode()[-20_000:]
