"""The shopper's page at `/tryon/{token}`: plain HTML, no script, nothing fetched but the product's own pictures."""

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.tryon import ExpiredToken, ForgedToken
from db.sessions import Database
from resolvers.context import Clock, utc_now
from resolvers.platform import Platform
from resolvers.tryon_page import Shown, Withdrawn, open_page

_ROOM: Final = Path(__file__).parent
# What may stand in a policy header as the source of a picture; other pictures are left out.
_PLAIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?")


@dataclass(frozen=True)
class Words:
    """What a page says where there is no product to show."""

    heading: str
    text: str


EXPIRED: Final = Words("This link has expired", "Go back to the shop and open it from there again.")
WITHDRAWN: Final = Words(
    "This piece is no longer shown", "The shop has taken it down. Its other pieces are still there."
)
UNKNOWN: Final = Words("There is nothing at this link", "It is not one of ours, or a part of it is missing.")


class Pages:
    """Renders the page and guards it. Made once with the application."""

    def __init__(self, db: Database, platform: Platform, clock: Clock) -> None:
        self._db, self._platform, self._clock = db, platform, clock
        self._style = (_ROOM / "style.css").read_text()
        self._style_hash = b64encode(sha256(self._style.encode()).digest()).decode()
        self._templates = Environment(
            loader=FileSystemLoader(_ROOM / "templates"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip

    async def show(self, request: Request) -> Response:
        """The product, or plainly why there is none to see. The token stays out of the access log."""
        request.scope["state"]["route"] = "/tryon/{token}"
        token = request.path_params["token"]
        try:
            shown = await open_page(
                self._db, self._platform, token, self._clock(), opens=request.method == "GET"
            )  # fmt: skip
        except ForgedToken:
            return self._answer(404, "'none'", words=UNKNOWN)
        except ExpiredToken as expired:
            return self._answer(410, expired.claims.origin, words=EXPIRED)
        except Withdrawn as withdrawn:
            return self._answer(410, withdrawn.origin, words=WITHDRAWN)
        return self._product(shown)

    def _product(self, shown: Shown) -> Response:
        media = [item for item in shown.product.media if _source(item["url"])]
        sources = {_source(item["url"]) for item in media}
        return self._answer(200, shown.origin, sources, shown=shown, media=media)

    def _answer(self, status: int, framed_by: str, sources: Iterable[str] = (), **values: Any) -> Response:
        page = "product.html" if "shown" in values else "message.html"
        html = self._templates.get_template(page).render(style=self._style, **values)
        return Response(html, status, self._headers(framed_by, sources), media_type="text/html")

    def _headers(self, framed_by: str, sources: Iterable[str]) -> dict[str, str]:
        pictures = " ".join(sorted(sources)) or "'none'"
        policy = (
            f"default-src 'none'; img-src {pictures}; "
            f"style-src 'sha256-{self._style_hash}'; base-uri 'none'; form-action 'none'; frame-ancestors {framed_by}"
        )
        return {
            "content-security-policy": policy,
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "x-robots-tag": "noindex",
            "permissions-policy": "camera=(), microphone=(), geolocation=()",
        }


def _source(url: str) -> str:
    """The origin of a picture, or nothing where it cannot stand in a policy."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin if _PLAIN.fullmatch(origin) else ""


def tryon_routes(db: Database, platform: Platform, clock: Clock = utc_now) -> list[Route]:
    """The room's routes."""
    return [Route("/tryon/{token}", Pages(db, platform, clock).show, methods=["GET"])]
