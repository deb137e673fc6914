"""The pages that creators see: HTML from templates, under a policy without scripts, never framed, never cached."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, Response

_FOLDER: Final = Path(__file__).parent / "templates"
HEADERS: Final = {
    "cache-control": "no-store",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    # With `no-referrer` browsers would send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
}
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; form-action 'self'{more}; frame-ancestors 'none'; base-uri 'none'"
)


class Pages:
    """The templates, loaded once."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER), autoescape=select_autoescape(), undefined=StrictUndefined,
            trim_blocks=True,
        )  # fmt: skip
        self._style = (_FOLDER / "style.css").read_bytes()

    def page(self, name: str, *, status: int = 200, leads_to: str = "", **values: Any) -> HTMLResponse:
        """A page. `leads_to`: where besides this server its form may end up (Chromium holds redirects to `form-action`)."""
        empty = {"user": None, "csrf": "", "fault": "", "code": "", "done": ""}
        html = self._templates.get_template(name).render(empty | values)
        policy = _POLICY.format(more=f" {leads_to}" if leads_to else "")
        return HTMLResponse(html, status, HEADERS | {"content-security-policy": policy})

    def error(self, title: str, message: str, *, status: int = 400, code: str = "") -> HTMLResponse:
        """A page that says what went wrong."""
        return self.page("error.html", status=status, title=title, message=message, code=code)

    def style(self) -> Response:
        """The style sheet."""
        return Response(self._style, media_type="text/css", headers={"cache-control": "public, max-age=3600"})
