from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn
from graphql import build_schema, graphql
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.pages import assets_mount, graphiql_page
from tests.browser import chromium as chromium
from tests.browser import visit as visit

ROOT = Path(__file__).parents[2]
DIST = ROOT / "web" / "dist"
TOKEN = "fsh_test_browser"
SCHEMA = build_schema('type Query { greeting(name: String = "you"): String! stage: String! }')


async def endpoint(request: Request) -> Response:
    """A GraphQL endpoint just large enough to be explored; it wants a token, as the real one does."""
    if request.method == "GET":
        page = graphiql_page(DIST)
        return Response(page.html, headers=page.headers)
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        return JSONResponse({"errors": [{"message": "a token is needed"}]}, 401)
    body = await request.json()
    root = {"greeting": lambda _info, name: f"Hello {name}", "stage": request.url.path}
    result = await graphql(
        SCHEMA, body["query"], root, variable_values=body.get("variables"), operation_name=body.get("operationName")
    )
    return JSONResponse(result.formatted, media_type="application/graphql-response+json")


@pytest.fixture(scope="session")
def dist() -> Path:
    if not (DIST / ".vite" / "manifest.json").is_file():
        pytest.fail("web/dist is missing: run `make web/.built`")
    return DIST


@pytest_asyncio.fixture(scope="session")
async def site(dist: Path) -> AsyncIterator[str]:
    """The origin of a real server with GraphiQL at /graphql and /graphql/preview."""
    routes = [Route(path, endpoint, methods=["GET", "POST"]) for path in ("/graphql", "/graphql/preview")]
    app = Starlette(routes=[*routes, assets_mount(dist)])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await running
