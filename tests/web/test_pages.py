"""The pages' HTML, policy and files, without a browser."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import httpx
import pytest
from graphql import build_schema, parse, validate
from starlette.applications import Starlette

from app.pages import PagesNotBuiltError, assets_mount, graphiql_page

ROOT = Path(__file__).parents[2]
SCRIPT = "console.log('a page');" * 100
MANIFEST = {
    "src/graphiql/main.tsx": {"file": "assets/main-1.js", "css": ["assets/main-1.css"], "imports": ["_shared.js"]},
    "_shared.js": {"file": "assets/shared-2.js", "css": ["assets/shared-2.css"], "imports": ["src/graphiql/main.tsx"]},
}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "main-1.js").write_text(SCRIPT)
    (tmp_path / "assets" / "main-1.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (tmp_path / "assets" / "icons-3.ttf").write_bytes(b"a font")
    return tmp_path


def client(dist: Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Starlette(routes=[assets_mount(dist)]))
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers={"Accept-Encoding": "identity"})


def test_the_page_names_every_file_it_loads_at_once(built: Path) -> None:
    html = graphiql_page(built).html.decode()
    assert re.findall(r'(?:src|href)="(/[^"]+)"', html) == [
        "/assets/main-1.css",
        "/assets/shared-2.css",
        "/assets/shared-2.js",
        "/assets/main-1.js",
    ]


def test_the_policy_has_no_unsafe_source(built: Path) -> None:
    page = graphiql_page(built)
    directives = dict(part.split(" ", 1) for part in page.csp.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["connect-src"] == directives["worker-src"] == "'self'"
    assert "unsafe" not in page.csp
    assert "http" not in page.csp
    assert page.headers["Content-Security-Policy"] == page.csp


def test_each_answer_has_its_own_nonce(built: Path) -> None:
    first, second = graphiql_page(built), graphiql_page(built)
    nonce = re.search(r'nonce="([^"]+)"', first.html.decode())
    assert nonce
    assert f"'nonce-{nonce[1]}'" in first.csp
    assert first.csp != second.csp


@pytest.mark.parametrize("manifest", [None, "{}"])
def test_an_unbuilt_tree_is_told_what_to_run(tmp_path: Path, manifest: str | None) -> None:
    if manifest is not None:
        (tmp_path / ".vite").mkdir()
        (tmp_path / ".vite" / "manifest.json").write_text(manifest)
    with pytest.raises(PagesNotBuiltError, match=r"run `make web/\.built`"):
        graphiql_page(tmp_path)


async def test_files_are_kept_for_ever(built: Path) -> None:
    async with client(built) as http:
        script, font = await http.get("/assets/main-1.js"), await http.get("/assets/icons-3.ttf")
        again = await http.get("/assets/main-1.js", headers={"If-None-Match": script.headers["etag"]})
    assert script.text == SCRIPT
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["x-content-type-options"] == "nosniff"
    assert font.headers["content-type"] == "font/ttf"
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("accepts", "encoding"), [("gzip, br", "gzip"), ("GZIP;q=0.5", "gzip"), ("gzip;q=0, br", None), ("br", None)]
)
async def test_files_go_out_gzipped_where_the_browser_takes_it(built: Path, accepts: str, encoding: str | None) -> None:
    async with client(built) as http:
        answer = await http.get("/assets/main-1.js", headers={"Accept-Encoding": accepts})
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.text == SCRIPT


@pytest.mark.parametrize(
    "path", ["gone.js", "main-1.js.gz", "../.vite/manifest.json", "%2e%2e/.vite/manifest.json", ""]
)
async def test_nothing_else_is_served(built: Path, path: str) -> None:
    async with client(built) as http:
        assert (await http.get(f"/assets/{path}")).status_code == 404


async def test_an_unbuilt_tree_has_no_files(tmp_path: Path) -> None:
    async with client(tmp_path / "dist") as http:
        assert (await http.get("/assets/main-1.js")).status_code == 404


@pytest.mark.parametrize("name", ["storefronts", "me", "product_upsert"])
def test_the_example_queries_fit_the_schema(name: str) -> None:
    sdl = ROOT / "schema.graphql"
    if not sdl.is_file():
        pytest.skip("schema.graphql is not in the tree yet")
    document = (ROOT / "web" / "src" / "graphiql" / "examples" / f"{name}.graphql").read_text()
    assert validate(build_schema(sdl.read_text()), parse(document)) == []
