"""The pages that creators see: HTML from templates, with no script but our own file, never framed, never cached."""

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
    "default-src 'none'; style-src 'self'; {script}form-action 'self'{more}; frame-ancestors 'none'; base-uri 'none'"
)


class Pages:
    """The templates, loaded once."""

    def __init__(self, issuer: str) -> None:
        self._script = f"script-src {issuer}/oauth/passkeys.js; "
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER), autoescape=select_autoescape(), undefined=StrictUndefined,
            trim_blocks=True,
        )  # fmt: skip
        self._files = {name: (_FOLDER / name).read_bytes() for name in ("style.css", "passkeys.js")}

    def page(self, name: str, *, status: int = 200, leads_to: str = "", **values: Any) -> HTMLResponse:
        """A page. `leads_to`: where besides this server its form may end up (Chromium holds redirects to `form-action`)."""
        empty = {"user": None, "csrf": "", "fault": "", "code": "", "done": ""}
        html = self._templates.get_template(name).render(empty | values)
        script = self._script if values.get("passkey") else ""
        policy = _POLICY.format(script=script, more=f" {leads_to}" if leads_to else "")
        return HTMLResponse(html, status, HEADERS | {"content-security-policy": policy})

    def error(self, title: str, message: str, *, status: int = 400, code: str = "") -> HTMLResponse:
        """A page that says what went wrong."""
        return self.page("error.html", status=status, title=title, message=message, code=code)

    def foreign(self) -> HTMLResponse:
        """For a form that is none of ours."""
        message = "The form was not made for this browser, or is too old. Go back, reload the page and try again."
        return self.error("Please try again", message, status=403)

    def file(self, name: str, media_type: str) -> Response:
        """The style sheet or the script."""
        headers = {"cache-control": "public, max-age=3600", "x-content-type-options": "nosniff"}
        return Response(self._files[name], media_type=media_type, headers=headers)
