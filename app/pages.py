"""The built pages: their HTML, their policy, and the files that they load.

`make web/.built` leaves hashed files in `web/dist/assets` and a manifest of them (Vite's, `.vite/manifest.json`).
A page's HTML is written here from that manifest, with a policy that allows our own files and nothing else.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from html import escape
from os import PathLike, stat_result
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

ASSETS_PATH = "/assets"
MANIFEST = Path(".vite") / "manifest.json"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".woff2": "font/woff2",
}
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E"
    "%3Crect width='8' height='8' rx='2' fill='%23171717'/%3E"
    "%3Cpath d='M2.5 6.5v-5h3.4M2.5 4h2.6' fill='none' stroke='%23fff'/%3E%3C/svg%3E"
)


class PagesNotBuiltError(RuntimeError):
    """The built files are missing; the text names the command that makes them."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"the pages are not built ({missing} is missing): run `make web/.built`")


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: `html`, UTF-8, fits only the `csp` made with it, as both hold the same fresh nonce."""

    html: bytes
    csp: str

    @property
    def headers(self) -> dict[str, str]:
        """Every header that the answer needs."""
        return {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": self.csp,
            "Cache-Control": "no-store",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """The files that a page's HTML has to name, as URL paths."""

    script: str
    styles: list[str] = field(default_factory=list)
    preloads: list[str] = field(default_factory=list)


def graphiql_page(dist: Path) -> Page:
    """GraphiQL for the path that it is served at.

    Raises:
        PagesNotBuiltError: `dist` (web/dist) holds no build.
    """
    nonce = secrets.token_urlsafe(16)
    entry = read_entry(dist, "src/graphiql/main.tsx")
    return Page(html_of(entry, title="GraphiQL · FSHNiSTA API", nonce=nonce).encode(), strict_csp(nonce))


def strict_csp(nonce: str) -> str:
    """Content Security Policy Level 3: our own origin, no inline script, inline style only with the nonce."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def read_entry(dist: Path, source: str) -> Entry:
    """Finds in the manifest what the page with the entry module `source` loads first.

    Raises:
        PagesNotBuiltError: no manifest, or one of an older tree that does not know this page.
    """
    try:
        manifest: dict[str, dict[str, Any]] = json.loads((dist / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise PagesNotBuiltError(f"web/{dist.name}/{MANIFEST.as_posix()}") from None
    if source not in manifest:
        raise PagesNotBuiltError(f"the page {source}")
    chunks = [manifest[name] for name in static_imports(manifest, source)]
    return Entry(
        script=f"/{manifest[source]['file']}",
        styles=[f"/{file}" for chunk in chunks for file in chunk.get("css", [])],
        preloads=[f"/{chunk['file']}" for chunk in chunks[1:]],
    )


def static_imports(manifest: dict[str, dict[str, Any]], source: str) -> list[str]:
    """`source` and every chunk that it imports at once, each named once, the page first."""
    found = [source]
    for name in found:
        found += [other for other in manifest[name].get("imports", []) if other not in found]
    return found


def html_of(entry: Entry, *, title: str, nonce: str) -> str:
    """A page whose script fills `<div id="page">`; web/src/csp.ts reads the nonce from the meta tag."""
    links = [f'<link rel="stylesheet" href="{escape(path)}">' for path in entry.styles]
    links += [f'<link rel="modulepreload" href="{escape(path)}">' for path in entry.preloads]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f'<meta property="csp-nonce" nonce="{nonce}">',
            f"<title>{escape(title)}</title>",
            f'<link rel="icon" href="{ICON}">',
            *links,
            f'<script type="module" src="{escape(entry.script)}"></script>',
            '<div id="page"></div>',
            "<noscript>This page needs JavaScript. The API itself does not: see the README for curl.</noscript>",
            "</html>",
            "",
        ]
    )


def assets_mount(dist: Path) -> Mount:
    """Serves `dist/assets` at `/assets`; an unbuilt tree answers 404 there."""
    return Mount(ASSETS_PATH, app=HashedFiles(dist / "assets"), name="assets")


class HashedFiles(StaticFiles):
    """Files whose names change with their content: kept for ever by browsers, and sent gzipped where built so."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory, check_dir=False)

    async def check_config(self) -> None:
        """Lets an unbuilt folder be a 404 for each file instead of a failure."""

    def lookup_path(self, path: str) -> tuple[str, stat_result | None]:
        # The `.gz` twins are an encoding, not files of their own.
        return ("", None) if path.endswith(".gz") else super().lookup_path(path)

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        file = Path(full_path)
        packed = file.with_name(f"{file.name}.gz")
        encoding = "gzip" if accepts_gzip(scope) and packed.is_file() else None
        sent = packed if encoding else file
        media_type = MEDIA_TYPES.get(file.suffix, "application/octet-stream")
        response = FileResponse(sent, status_code, asset_headers(encoding), media_type, stat_result=sent.stat())
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response


def accepts_gzip(scope: Scope) -> bool:
    """Whether `Accept-Encoding` names gzip without refusing it by `q=0` (RFC 9110, section 12.5.3)."""
    offers = Headers(scope=scope).get("accept-encoding", "").lower().replace(" ", "")
    return any(re.fullmatch(r"gzip(;q=(1|0?\.\d*[1-9]\d*|1\.0*))?", offer) for offer in offers.split(","))


def asset_headers(encoding: str | None) -> dict[str, str]:
    """A worker takes its policy from its own file's answer, so every file carries one."""
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Security-Policy": "default-src 'none'; script-src 'self'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    return headers | ({"Content-Encoding": encoding} if encoding else {})
