"""A creator with a browser, and a partner's site, in a few lines."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from auth.partners import Creator as Account
from auth.partners import Partner, create_creator, create_partner
from db.ids import new_id
from tests.auth.conftest import ISSUER

BACK = "https://partner.test/back"
PASSWORD = "correct horse battery"


def challenge_of(verifier):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def form_of(html, index=-1):
    """The action and hidden fields of a form of a page; the last, where none is named."""
    form = re.findall(r"<form.*?</form>", html, re.DOTALL)[index]
    fields = {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)}
    action = re.findall(r'action="([^"]*)"', form)[0]
    return unescape(action), fields


def scopes_in(html):
    return re.findall(r'name="scope" value="([^"]+)"', html)


@dataclass
class Site:
    """A partner's site that sends creators to us."""

    partner: Partner
    http: httpx.AsyncClient
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    back: str = BACK

    def link(self, **change):
        fields = {
            "response_type": "code", "client_id": self.partner.client_id, "redirect_uri": self.back,
            "scope": "profile:read storefronts:read", "state": "st4te", "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        } | change  # fmt: skip
        return "/oauth/authorize?" + urlencode({name: value for name, value in fields.items() if value is not None})

    async def post(self, path="/oauth/token", **fields):
        credentials = {"client_id": self.partner.client_id, "client_secret": self.partner.client_secret}
        sent = credentials | fields
        return await self.http.post(path, data={name: value for name, value in sent.items() if value is not None})

    async def exchange(self, code, **change):
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.back,
            "code_verifier": self.verifier,
        }
        return await self.post(**(fields | change))

    async def refresh(self, token, **change):
        return await self.post(grant_type="refresh_token", refresh_token=token, **change)


@dataclass
class Creator:
    """A creator and her browser."""

    account: Account
    email: str
    browser: httpx.AsyncClient

    async def sign_in(self, path, password=PASSWORD):
        page = await self.browser.get(path)
        action, fields = form_of(page.text)
        return await self.browser.post(action, data=fields | {"email": self.email, "password": password})

    async def consent_page(self, link):
        page = await self.browser.get(link)
        if "password" in page.text:
            await self.sign_in(link)
            page = await self.browser.get(link)
        return page

    async def decide(self, page, decision="allow", scopes=None, which="all", storefronts=()):
        action, fields = form_of(page.text)
        ticked = scopes_in(page.text) if scopes is None else scopes
        return await self.browser.post(
            action,
            data=fields | {"decision": decision, "scope": ticked, "which": which, "storefront": list(storefronts)},
        )

    async def allow(self, site, **more):
        """Goes through with it, and gives the code."""
        page = await self.consent_page(site.link())
        answer = page if page.status_code == 303 else await self.decide(page, **more)
        return answer_of(answer)["code"]


def answer_of(response):
    """The parameters with which the browser is sent back."""
    assert response.status_code == 303, response.text
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


async def new_site(identity, http, redirect_uris=(BACK,), **more):
    partner = await create_partner(
        identity.db, identity.hasher, "Lookbook", environment="sandbox", redirect_uris=redirect_uris, **more
    )
    return Site(partner, http)


async def new_creator(identity, app):
    handle = f"@mara-{new_id('usr')[-8:].lower()}"
    email = f"{handle[1:]}@studio.test"
    account = await create_creator(identity.db, handle, email=email, password=PASSWORD)
    address = ".".join(str(one) for one in (10, *secrets.token_bytes(3)))  # sign-ins are counted by it
    transport = httpx.ASGITransport(app, client=(address, 1))
    browser = httpx.AsyncClient(transport=transport, base_url=ISSUER, follow_redirects=False)
    return Creator(account, email, browser)
