"""Creators, and what partners can ask with the tokens that creators gave them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from app.asgi import Parts
from db import tables
from db.ids import new_id
from tests.factories import Partner, unique

SCOPES = "profile:read storefronts:read storefronts:write inventory:read preview:twin"


@dataclass
class Creator:
    """A creator's token in a partner's hands."""

    user_id: str
    client_id: str
    token: str
    http: httpx.AsyncClient

    async def ask(self, query: str, /, path: str = "/graphql/preview", key: str | None = None, **variables: Any) -> Any:
        """One operation's whole answer."""
        headers = {"authorization": f"Bearer {self.token}"} | ({"idempotency-key": key} if key else {})
        answer = await self.http.post(path, json={"query": query, "variables": variables}, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def data(self, query: str, /, **more: Any) -> Any:
        """One operation's data; no errors are allowed."""
        answer = await self.ask(query, **more)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def does(self, mutation: str, /, key: str | None = None, **given: Any) -> Any:
        """One mutation of the twin's by its input; what was wrong, or the payload."""
        below = "erased" if mutation == "twinErase" else "twin { updatedAt }"
        kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
        query = f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ {below} userErrors {{ field message code }} }} }}"
        answer = await self.ask(query, key=key, input=given)
        assert "errors" not in answer, answer["errors"]
        return answer["data"][mutation]

    async def done(self, mutation: str, /, **given: Any) -> Any:
        """The same, and nothing may be wrong."""
        payload = await self.does(mutation, **given)
        assert payload["userErrors"] == [], payload
        return payload


async def new_user(parts: Parts) -> str:
    """A creator who never signs in."""
    now, handle = datetime.now(UTC), unique("@creator")
    row = tables.User(id=new_id("usr"), handle=handle, display_name=handle, created_at=now, updated_at=now)
    async with parts.db.write() as session:
        session.add(row)
    return row.id


async def through(
    parts: Parts, client: httpx.AsyncClient, partner: Partner, user_id: str, *, scopes: str = SCOPES,
    family: str | None = "aut",
) -> Creator:  # fmt: skip
    """The creator's token for this partner, as the authorization code would give it; without a family, as no code does."""
    token = parts.identity.tokens.issue(user_id=user_id, client_id=partner.client_id, scope=scopes, family=family)
    return Creator(user_id, partner.client_id, token, client)
