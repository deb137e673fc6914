"""What tests are made of: partners with tokens, storefronts, products; made through the API as a partner would."""

import itertools
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.asgi import Parts
from auth.partners import create_partner

_numbers = itertools.count(1)


def unique(word: str) -> str:
    """A word that no other test of this process has."""
    return f"{word}{next(_numbers)}"


@dataclass
class Partner:
    """A partner's credentials and an HTTP client that sends its token."""

    user_id: str
    client_id: str
    client_secret: str
    api_key: str
    organization_id: str
    handle: str
    token: str
    http: httpx.AsyncClient
    storefronts: list[dict[str, Any]] = field(default_factory=list)

    async def call(self, method: str, path: str, status: int | None = None, **more: Any) -> httpx.Response:
        """One request; `status` is what it must answer."""
        answer = await self.http.request(method, path, **more)
        assert status is None or answer.status_code == status, f"{answer.status_code}: {answer.text}"
        return answer

    async def graphql(
        self, query: str, /, *, headers: dict[str, str] | None = None, **variables: Any
    ) -> dict[str, Any]:
        """One operation's whole answer."""
        body = {"query": query, "variables": variables}
        answer = await self.http.post("/graphql", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def data(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """One operation's data; no errors are allowed."""
        answer = await self.graphql(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def storefront(self, **more: Any) -> dict[str, Any]:
        """An active storefront of its own."""
        body = {"handle": unique("@shop"), "name": "A shop", "status": "active", **more}
        made: dict[str, Any] = (await self.call("POST", "/v1/storefronts", 201, json=body)).json()
        return made

    async def product(self, storefront: dict[str, Any], **more: Any) -> dict[str, Any]:
        """An active product in a storefront, with one variant of its own SKU unless others are given."""
        price = {"amount": "29.00", "currency": "EUR"}
        body = {"sku": unique("SKU-"), "title": "A tee", "price": price, "status": "active", **more}
        path = f"/v1/storefronts/{storefront['id']}/products"
        made: dict[str, Any] = (await self.call("POST", path, json=body)).json()
        return made


async def make_partner(
    parts: Parts, client: httpx.AsyncClient, *, scopes: str | None = None, tier: str = "internal", name: str = ""
) -> Partner:
    """A partner with a token from the token endpoint. Tests of limits name another tier."""
    made = await create_partner(
        parts.db, parts.identity.hasher, name or unique("Partner "), environment=parts.platform.environment,
        scopes=scopes, tier=tier,
    )  # fmt: skip
    secret = {"client_id": made.client_id, "client_secret": made.client_secret}
    answer = await client.post("/oauth/token", json={"grant_type": "client_credentials", **secret})
    token = answer.json()["access_token"]
    http = httpx.AsyncClient(
        transport=client._transport, base_url=client.base_url, headers={"authorization": f"Bearer {token}"}
    )
    return Partner(
        user_id=made.user_id, handle=made.handle, organization_id=made.organization_id, token=token, http=http,
        api_key=made.api_key or "", client_id=made.client_id, client_secret=made.client_secret,
    )  # fmt: skip
