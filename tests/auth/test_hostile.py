"""Hostile credentials and bodies, by the thousand: no 500, no way in. `pytest -m load` sends 200,000."""

import base64
import json
import random
from collections import Counter

import orjson
import pytest

from app.asgi import build_app
from auth.partners import create_partner
from tests.auth.conftest import ISSUER

SOME, MANY = 3_000, 200_000
WORDS = [
    "", " ", "\0", "null", "none", "None", "RS256", "HS256", "ES256", "at+jwt", "JWT", "../../etc/passwd", "' or 1=1 --", "é",
    "\ud800", "🙂", "a" * 9000, "Bearer", "fsh_test_", "fss_test_", "fsr_test_", "kid", "[]", "{}", "%00", "%ff", "\r\n", "1e999",
]  # fmt: skip
SCHEMES = ["Bearer", "bearer", "DPoP", "Basic", "Negotiate", "", "Bearer Bearer", "Bearer\t"]
FIELDS = [
    "grant_type", "client_id", "client_secret", "scope", "code", "redirect_uri", "code_verifier", "refresh_token", "token",
    "client_assertion", "client_assertion_type", "resource", "request_uri", "response_type", "token_type_hint",
]  # fmt: skip
GRANTS = ["client_credentials", "authorization_code", "refresh_token", "password", ""]
PATHS = ["/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/par"]


class Fuzz:
    def __init__(self, seed, partner, token):
        self.random, self.partner, self.token = random.Random(seed), partner, token

    def word(self):
        r = self.random
        return r.choice([r.choice(WORDS), "".join(chr(r.randrange(1, 0x300)) for _ in range(r.randrange(40)))])

    def mutated(self, text):
        r, letters = self.random, list(text)
        for _ in range(r.randrange(1, 4)):
            place = r.randrange(len(letters) + 1)
            letters[place : place + r.randrange(3)] = r.choice(
                [[], [chr(r.randrange(33, 127))], list(r.choice(WORDS)[:20])]
            )
        return "".join(letters)

    def forged(self):
        r = self.random
        header = {
            "alg": r.choice(["RS256", "HS256", "none", "ES256", 1, None]),
            "typ": r.choice(["at+jwt", "JWT", None]),
        }
        header["kid"] = r.choice([self.word(), 7, None, {"a": 1}])
        if r.random() < 0.3:
            header[r.choice(["jwk", "jku", "x5u", "crit", "b64", "zip"])] = r.choice([self.word(), {}, [], True])
        parts = [json.dumps(header).encode()]
        parts += [
            r.choice([self.token.split(".")[1].encode(), b"{}", b"[]", b"\xff"]),
            r.randbytes(r.choice([0, 8, 256])),
        ]
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)

    def credential(self):
        pick = self.random.choice([self.mutated, self.mutated, lambda _: self.forged(), lambda _: self.word()])
        return pick(self.random.choice([self.token, self.partner.api_key, self.partner.client_secret]))

    def call(self):
        """Method, path, headers and body of one request."""
        r = self.random
        if r.random() < 0.5:
            name = r.choice([b"authorization", b"authorization", b"x-api-key"])
            value = self.credential() if name == b"x-api-key" else f"{r.choice(SCHEMES)} {self.credential()}"
            headers = [(name, value.encode("utf-8", "replace"))]
            if r.random() < 0.2:
                headers.append((b"dpop", self.forged().encode()))
            return "GET", "/v1/me", headers, b""
        fields = {r.choice(FIELDS): self.word() for _ in range(r.randrange(6))} | {"grant_type": r.choice(GRANTS)}
        if r.random() < 0.5:
            fields |= {"client_id": self.partner.client_id, "client_secret": self.mutated(self.partner.client_secret)}
        return "POST", r.choice(PATHS), *self.body(fields)

    def body(self, fields):
        r = self.random
        if r.random() < 0.5:
            media, body = b"application/json", str(fields).replace("'", '"').encode("utf-8", "replace")
            body = r.choice([body, orjson.dumps([1]), b'{"client_id":"\\ud800"}', b"[" * 5000])
        else:
            media = r.choice([b"application/x-www-form-urlencoded", b"text/plain", b"", b"multipart/form-data"])
            body = "&".join(f"{name}={value}" for name, value in fields.items()).encode("utf-8", "replace")
        return [(b"content-type", media)], body


async def send(app, method, path, headers, body, address="192.0.2.1"):
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "scheme": "https",
        "server": ("api.fshnista.test", 443), "client": (address, 1), "root_path": "", "http_version": "1.1",
        "headers": [(b"host", b"api.fshnista.test"), *headers], "asgi": {"version": "3.0"},
    }  # fmt: skip
    statuses = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def answer(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, answer)
    return statuses[0]


@pytest.mark.parametrize("count", [SOME, pytest.param(MANY, marks=pytest.mark.load)])
async def test_no_hostile_request_gets_in_or_breaks_anything(live, count):
    parts = live.parts
    partner = await create_partner(parts.db, parts.identity.hasher, "Target", environment="sandbox", tier="internal")
    token = parts.identity.tokens.issue(user_id=partner.user_id, client_id=partner.client_id, scope="profile:read")
    app, fuzz = build_app(parts), Fuzz(20261123, partner, token)
    seen: Counter[int] = Counter()
    assert partner.api_key is not None
    good = {partner.api_key, token, partner.client_secret}
    for _ in range(count):
        method, path, headers, body = fuzz.call()
        # From many addresses, or most would be told to wait before they are looked at.
        address = f"198.51.{fuzz.random.randrange(256)}.{fuzz.random.randrange(256)}"
        status = await send(app, method, path, headers, body, address)
        seen[status] += 1
        # A mutation may by chance change nothing: then the request is a good one.
        sent = b" ".join([body, *(value for _, value in headers)]).decode("utf-8", "replace")
        assert status < 500, (method, path, headers, body)
        assert status >= 400 or any(text in sent for text in good), (status, path, headers, body)
    assert seen[401] > count / 10, (seen, ISSUER)
    assert await send(app, "GET", "/v1/me", [(b"x-api-key", partner.api_key.encode())], b"") == 200
