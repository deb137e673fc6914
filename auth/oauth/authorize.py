"""The authorization endpoint (RFC 6749 section 3.1) and the pages around it: signing in, consent, withdrawal."""

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import orjson
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from auth.clients import Client, other_environment
from auth.oauth.account import CONSENTS
from auth.oauth.browser import ForeignForm, Person
from auth.oauth.consents import Decision, decide
from auth.oauth.requests import (
    MOST_FIELDS,
    ClientRequest,
    Credentials,
    check_resource,
    once,
    printable,
)
from auth.oauth.server import known_client
from auth.passkeys import WrongPasskey
from auth.scopes import NAMED_ONLY, SCOPES

if TYPE_CHECKING:
    from auth.identity import Identity

TOO_MANY = "Too many attempts. Wait a minute, then try again."
AUTHORIZE = "/oauth/authorize"


class Authorize:
    """The handlers."""

    def __init__(self, identity: "Identity") -> None:
        self._identity = identity
        self._pages, self._browsers, self._consents = identity.pages, identity.browsers, identity.consents

    async def authorize(self, request: Request) -> Response:
        """GET: the way in of a partner's link. POST: what the creator decided."""
        try:
            asked = await self._asked(request)
            grant = self._identity.server.get_consent_grant(asked)
        except OAuth2Error as error:
            return await self._refused(request, error)
        person = await self._browsers.person(request)
        if person is None:
            return self._sign_in_page(request, _local(request), client_name=asked.record.name)
        if request.method == "POST":
            return await self._decided(request, asked, grant, person)
        return await self._remembered(asked, grant, person) or await self._consent_page(request, asked, grant, person)

    async def _asked(self, request: Request) -> ClientRequest:
        """The authorization request, with its client's record."""
        fields = await self._identity.pushed.unfold(_query(request))
        check_resource(fields, self._identity.tokens.audience)
        client_id = fields.get("client_id", "")
        asked = ClientRequest(AUTHORIZE, fields, request.headers, Credentials(client_id, "", "none"))
        asked.client_record = await self._identity.clients.find(client_id)
        if asked.client_record is not None and not asked.client_record.active:
            raise InvalidRequestError("The client is suspended.")
        self._check_environment(asked.client_record)
        known_client.set(asked.client_record)
        return asked

    def _check_environment(self, client: Client | None) -> None:
        if client is not None and client.environment != self._identity.environment:
            raise InvalidRequestError(other_environment(client.environment, self._identity.environment))

    async def _refused(self, request: Request, error: OAuth2Error) -> Response:
        """Back to the partner where its redirect URI is known to be its own; else a page, and no redirect. Nobody has looked at
        a client that registered itself: its wrong requests lead nowhere before somebody has signed in (RFC 9700 section 4.11.2)."""
        if error.redirect_uri:
            client = known_client.get()
            if client is not None and client.self_registered and await self._browsers.person(request) is None:
                return self._sign_in_page(request, _local(request), client_name=client.name)
            back: Response = self._identity.server.handle_error_response(None, error)
            return back
        title = "This link does not work"
        return self._pages.error(title, f"{error.get_error_description()}", code=str(error.error))

    async def _remembered(self, asked: ClientRequest, grant: Any, person: Person) -> Response | None:
        """The answer without a page, where the creator allowed all this before. Not for public clients: another app could
        pretend to be one (RFC 8252 section 8.6)."""
        client = asked.record
        consent = await self._consents.live(person.id, client.id)
        scopes = offered(asked)
        if consent is None or client.auth_method == "none" or asked.fields.get("prompt") == "consent":
            return None
        if not set(scopes) <= consent.scopes:
            return None
        ids = None if consent.storefront_ids is None else tuple(sorted(consent.storefront_ids))
        return await self._answer(asked, grant, Decision(person.id, client.id, scopes, scopes, ids))

    async def _consent_page(
        self, request: Request, asked: ClientRequest, grant: Any, person: Person, fault: str = ""
    ) -> Response:
        cookie = self._browsers.cookie(request)
        target = urlsplit(grant.redirect_uri)
        page = self._pages.page(
            "consent.html", user=person, csrf=self._browsers.csrf(cookie), client=asked.record, fault=fault,
            action=_local(request), destination=target.hostname or target.scheme,
            scopes=[(scope, SCOPES[scope]) for scope in offered(asked)],
            storefronts=await self._consents.storefronts(person.id), leads_to=_source(grant.redirect_uri),
        )  # fmt: skip
        return self._browsers.keep(page, cookie)

    async def _decided(self, request: Request, asked: ClientRequest, grant: Any, person: Person) -> Response:
        try:
            form = await self._browsers.form(request)
        except ForeignForm:
            return self._pages.foreign()
        shown = offered(asked)
        scopes = tuple(scope for scope in shown if scope in form.getlist("scope"))
        if form.get("decision") != "allow":
            denied: Response = self._identity.server.create_authorization_response(asked, None, grant)
            return denied
        if not scopes:
            fault = "Tick at least one thing that the partner may do, or deny."
            return await self._consent_page(request, asked, grant, person, fault)
        ids: tuple[str, ...] | None = None
        if form.get("which") == "some":
            own = {storefront["id"] for storefront in await self._consents.storefronts(person.id)}
            ids = tuple(sorted(own & set(form.getlist("storefront"))))
        return await self._answer(asked, grant, Decision(person.id, asked.record.id, shown, scopes, ids))

    async def _answer(self, asked: ClientRequest, grant: Any, decision: Decision) -> Response:
        """Remembers the decision and sends the creator back with a code, in one transaction."""

        def run(connection: Connection) -> Response:
            asked.extras["connection"] = connection
            allowed = decide(connection, decision)
            answer: Response = self._identity.server.create_authorization_response(asked, allowed, grant)
            return answer

        async with self._identity.db.write() as session:
            answer = await (await session.connection()).run_sync(run)
        await self._identity.pushed.spend(asked.fields)
        await self._identity.revocations.refresh()
        return answer

    def ask_to_sign_in(self, request: Request) -> Response:
        """The sign-in page, for those who wanted to see their own."""
        return self._sign_in_page(request, CONSENTS)

    async def sign_in(self, request: Request) -> Response:
        """POST /oauth/sign-in, and GET for those who come without a partner's link."""
        if request.method != "POST":
            return self._sign_in_page(request, CONSENTS)
        try:
            form = await self._browsers.form(request)
        except ForeignForm:
            return self._pages.foreign()
        email, back = form.get("email", ""), _safe(form.get("return_to", ""))
        if not await self._identity.attempts.allows(request, email):
            await self._tell_owner(request, email)
            return self._sign_in_page(request, back, fault=TOO_MANY, email=email, status=429)
        cookie = await self._browsers.sign_in(email, form.get("password", "")) if _plain(email) else None
        if cookie is None:
            fault = "There is no account with this address and password."
            return self._sign_in_page(request, back, fault=fault, email=email, status=401)
        return self._browsers.keep(RedirectResponse(back, 303), cookie)

    async def _tell_owner(self, request: Request, email: str) -> None:
        user_id = await self._browsers.known(email) if _plain(email) else None
        if user_id is not None:
            self._identity.alarms.wrong_passwords(user_id, request.client.host if request.client else "")

    async def sign_in_by_passkey(self, request: Request) -> Response:
        """POST /oauth/passkeys/sign-in: what the page's script got from the browser."""
        try:
            form = await self._browsers.form(request)
        except ForeignForm:
            return self._pages.foreign()
        back = _safe(form.get("return_to", ""))
        if not await self._identity.attempts.allows_address(request):
            return self._sign_in_page(request, back, fault=TOO_MANY, status=429)
        try:
            user_id = await self._identity.passkeys.check(self._browsers.cookie(request), form.get("answer", ""))
        except WrongPasskey as wrong:
            return self._sign_in_page(request, back, fault=str(wrong), status=401)
        return self._browsers.keep(RedirectResponse(back, 303), await self._browsers.open(user_id))

    def _sign_in_page(
        self, request: Request, back: str, *, fault: str = "", email: str = "", client_name: str = "", status: int = 200
    ) -> Response:
        cookie = self._browsers.cookie(request)
        page = self._pages.page(
            "sign_in.html", status=status, csrf=self._browsers.csrf(cookie), return_to=back, fault=fault, email=email,
            client_name=client_name, passkey=self._passkey_options(cookie),
        )  # fmt: skip
        if status == 429:
            page.headers["retry-after"] = "60"
        return self._browsers.keep(page, cookie)

    def _passkey_options(self, cookie: str) -> str:
        passkeys = self._identity.passkeys
        return orjson.dumps(passkeys.request(cookie)).decode() if passkeys.available else ""

    async def sign_out(self, request: Request) -> Response:
        """POST /oauth/sign-out."""
        try:
            await self._browsers.form(request)
        except ForeignForm:
            return self._pages.foreign()
        await self._browsers.sign_out(request)
        return RedirectResponse("/oauth/sign-in", 303)

    async def style(self, request: Request) -> Response:
        """GET /oauth/style.css."""
        return self._pages.file("style.css", "text/css")

    async def script(self, request: Request) -> Response:
        """GET /oauth/passkeys.js."""
        return self._pages.file("passkeys.js", "text/javascript")


def offered(asked: ClientRequest) -> tuple[str, ...]:
    """The scopes that the page shows: those asked for, or all that the client holds; never the operator's own."""
    held = asked.client_record.scopes if asked.client_record is not None else ()
    wanted = (asked.fields.get("scope") or " ".join(held)).split()
    return tuple(scope for scope in SCOPES if scope in wanted and scope in held and scope not in NAMED_ONLY)


def _query(request: Request) -> dict[str, str]:
    try:
        pairs = parse_qsl(request.url.query, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise InvalidRequestError("The link's parameters cannot be read.") from None
    return once(pairs)


def _local(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


def _safe(path: str) -> str:
    """Where to go after signing in: our own pages alone."""
    good = path.startswith(f"{AUTHORIZE}?") and path.isascii() and path.isprintable() and "\\" not in path
    return path if good else CONSENTS


def _plain(text: str) -> bool:
    return text == printable(text) and len(text) < 255


def _source(uri: str) -> str:
    """A redirect URI as a source of the content security policy."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"
