"""The creator's browser: its cookie, who is signed in, and the proof that a form came from one of our pages."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from auth.passwords import password_matches
from auth.secrets import Hasher
from db.sessions import Database
from db.tables.authorizations import SignIn

LARGEST_FORM: Final = 524_288
MOST_CHOICES: Final = 10_000
SIGNED_IN_SECONDS: Final = 12 * 3600
_USER: Final = (
    "select u.id, u.handle, u.display_name from sign_ins s join users u on u.id = s.user_id "
    "where s.hash = $1 and s.expires_at > now()"
)


@dataclass(frozen=True)
class Person:
    """A creator who is signed in."""

    id: str
    handle: str
    display_name: str


class ForeignForm(Exception):
    """The form does not come from a page that this server gave to this browser."""


class Browsers:
    """Cookies, sign-ins and the tokens in forms. The cookie holds chance alone; the database knows its keyed hash."""

    def __init__(self, db: Database, hasher: Hasher, issuer: str) -> None:
        self._db, self._hasher = db, hasher
        self._key = hasher.derive("forms")
        self._origin = issuer
        self._secure = issuer.startswith("https://")
        self._cookie = "__Host-fsh_session" if self._secure else "fsh_session"

    def cookie(self, request: Request) -> str:
        """This browser's cookie, or a fresh one, to be set with `keep`."""
        sent = request.cookies.get(self._cookie, "")
        return sent if len(sent) == 43 and sent.isascii() else secrets.token_urlsafe(32)

    def keep(self, response: Response, cookie: str) -> Response:
        """Sets the cookie; Lax, since partners' sites lead here by a plain link."""
        response.set_cookie(self._cookie, cookie, secure=self._secure, httponly=True, samesite="lax", path="/")
        return response

    def csrf(self, cookie: str) -> str:
        """What a form given to this browser carries."""
        return hmac.new(self._key, cookie.encode(), hashlib.sha256).hexdigest()

    async def form(self, request: Request) -> QueryParams:
        """A form of ours; raises ForeignForm for any other."""
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_FORM:
                raise ForeignForm
        try:
            form = QueryParams(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_CHOICES))
        except ValueError:
            raise ForeignForm from None
        self.check_form(request, form.get("csrf", ""))
        return form

    def check_form(self, request: Request, sent: str) -> None:
        """Raises ForeignForm where a form was not made for this browser by us."""
        origin = request.headers.get("origin")
        own = {self._origin, f"{request.url.scheme}://{request.url.netloc}"}
        if origin is not None and origin not in own:
            raise ForeignForm
        if not hmac.compare_digest(self.csrf(request.cookies.get(self._cookie, "")), sent if sent.isascii() else ""):
            raise ForeignForm

    async def person(self, request: Request) -> Person | None:
        """Who is signed in here."""
        cookie = request.cookies.get(self._cookie)
        if cookie is None:
            return None
        rows = await self._db.fetch(_USER, (self._hasher.hash(cookie),))
        return Person(**rows[0]) if rows else None

    async def sign_in(self, email: str, password: str) -> str | None:
        """A fresh cookie of a signed-in browser, or None where address or password is wrong."""
        user_id = await self.password_of(email, password)
        return None if user_id is None else await self.open(user_id)

    async def password_of(self, email: str, password: str) -> str | None:
        """The creator with this address and password, or None."""
        rows = await self._db.fetch("select id, password_hash from users where email = $1", (email.strip().lower(),))
        stored = rows[0]["password_hash"] if rows else None
        return str(rows[0]["id"]) if await password_matches(stored, password) else None

    async def known(self, email: str) -> str | None:
        """The creator with this address."""
        found: str | None = await self._db.fetch_value(
            "select id from users where email = $1", (email.strip().lower(),)
        )
        return found

    async def knows_password(self, user_id: str, password: str) -> bool:
        """Whether this is the creator's password."""
        stored = await self._db.fetch_value("select password_hash from users where id = $1", (user_id,))
        return await password_matches(stored, password)

    async def open(self, user_id: str) -> str:
        """A fresh cookie of a browser in which this creator is signed in."""
        cookie, now = secrets.token_urlsafe(32), datetime.now(UTC)
        row = SignIn(
            hash=self._hasher.hash(cookie), user_id=user_id, created_at=now,
            expires_at=now + timedelta(seconds=SIGNED_IN_SECONDS),
        )  # fmt: skip
        async with self._db.write() as session:
            session.add(row)
        return cookie

    async def sign_out(self, request: Request) -> None:
        """Forgets this browser."""
        cookie = request.cookies.get(self._cookie, "")
        await self._db.fetch("delete from sign_ins where hash = $1", (self._hasher.hash(cookie),))
