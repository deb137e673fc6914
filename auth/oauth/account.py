"""The creator's own page: which partners have access, the passkeys that sign in, and the digital twin."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from auth.oauth.browser import ForeignForm, Person
from auth.oauth.pages import HEADERS
from auth.passkeys import LONGEST_NAME, Owner, WrongPasskey

if TYPE_CHECKING:
    from auth.identity import Identity

CONSENTS = "/oauth/consents"


class Account:
    """The handlers. `ask_to_sign_in` makes the page for those who have not."""

    def __init__(self, identity: "Identity", ask_to_sign_in: Callable[[Request], Response]) -> None:
        self._identity, self._ask = identity, ask_to_sign_in
        self._pages, self._browsers, self._consents = identity.pages, identity.browsers, identity.consents
        self._passkeys = identity.passkeys

    async def consents(self, request: Request) -> Response:
        """GET: the page. POST: takes a partner's access away."""
        person = await self._browsers.person(request)
        if person is None:
            return self._ask(request)
        done = ""
        if request.method == "POST":
            try:
                form = await self._browsers.form(request)
            except ForeignForm:
                return self._pages.foreign()
            if await self._consents.withdraw(person.id, form.get("consent", "").replace("\0", "")):
                done = "Access withdrawn. Its tokens have stopped working."
            await self._identity.revocations.refresh()
        return await self._page(request, person, done=done)

    async def add_passkey(self, request: Request) -> Response:
        """POST /oauth/passkeys: who is at the keyboard must know the password, or a borrowed browser would be kept for good."""
        sent = await self._sent(request)
        if isinstance(sent, Response):
            return sent
        person, form = sent
        fault = await self._why_not(request, person, form.get("name", "").strip(), form.get("password", ""))
        if not fault:
            try:
                cookie = self._browsers.cookie(request)
                await self._passkeys.add(cookie, _owner(person), form["name"].strip(), form.get("answer", ""))
                return await self._page(request, person, done="Passkey added. It signs you in from now on.")
            except WrongPasskey as wrong:
                fault = str(wrong)
        return await self._page(request, person, fault=fault, status=400)

    async def _why_not(self, request: Request, person: Person, name: str, password: str) -> str:
        if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
            return f"A passkey's name has 1 to {LONGEST_NAME} printable characters."
        if not await self._identity.attempts.allows(request, person.id):
            return "Too many attempts. Wait a minute, then try again."
        if not await self._browsers.knows_password(person.id, password):
            return "That is not your password."
        return ""

    async def remove_passkey(self, request: Request) -> Response:
        """POST /oauth/passkeys/remove."""
        sent = await self._sent(request)
        if isinstance(sent, Response):
            return sent
        person, form = sent
        gone = await self._passkeys.remove(person.id, form.get("passkey", "").replace("\0", ""))
        return await self._page(request, person, done="Passkey removed. It signs in no more." if gone else "")

    async def twin(self, request: Request) -> Response:
        """GET /oauth/twin: the creator's copy, as a file."""
        person = await self._browsers.person(request)
        if person is None:
            return self._ask(request)
        copy = await self._identity.twins.copy(person.id)
        if copy is None:
            return self._pages.error("There is no digital twin", "Nothing of your body is kept here.", status=404)
        headers = HEADERS | {"content-disposition": 'attachment; filename="twin.json"'}
        return Response(orjson.dumps(copy, option=orjson.OPT_INDENT_2), media_type="application/json", headers=headers)

    async def erase_twin(self, request: Request) -> Response:
        """POST /oauth/twin/erase, with the box ticked: it cannot be undone."""
        sent = await self._sent(request)
        if isinstance(sent, Response):
            return sent
        person, form = sent
        if form.get("sure") != "yes":
            return await self._page(request, person, done="Nothing was erased: tick the box to say that you are sure.")
        gone = await self._identity.twins.erase(person.id)
        return await self._page(request, person, done="Your digital twin is erased." if gone else "")

    async def _sent(self, request: Request) -> tuple[Person, QueryParams] | Response:
        """Who sent a form, and what it says; or the answer to whoever is not signed in, or sent none of ours."""
        person = await self._browsers.person(request)
        if person is None:
            return self._ask(request)
        try:
            return person, await self._browsers.form(request)
        except ForeignForm:
            return self._pages.foreign()

    async def _page(
        self, request: Request, person: Person, *, done: str = "", fault: str = "", status: int = 200
    ) -> Response:
        cookie = self._browsers.cookie(request)
        options = await self._passkeys.creation(cookie, _owner(person)) if self._passkeys.available else None
        page = self._pages.page(
            "consents.html", status=status, user=person, csrf=self._browsers.csrf(cookie), done=done, fault=fault,
            consents=await self._consents.of(person.id), passkeys=await self._passkeys.of(person.id),
            passkey=orjson.dumps(options).decode() if options else "", twin=await self._identity.twins.of(person.id),
        )  # fmt: skip
        return self._browsers.keep(page, cookie)


def _owner(person: Person) -> Owner:
    return Owner(person.id, person.handle, person.display_name)
