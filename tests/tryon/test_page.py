"""The shopper's page: what it shows, whom it lets frame it, and that its link cannot be bent."""

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from joserfc import jws
from joserfc.jwk import OctKey

from app.access_log import AccessLog
from app.asgi import Parts, build_app
from auth.tryon import ForgedToken, TryonClaims, sign, verify
from db.ids import new_id
from tests.factories import Partner, unique

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
CLAIMS = TryonClaims(new_id("tos"), "https://shop.example", NOW + timedelta(minutes=15))
SECRET = b"s" * 32


async def opened(partner: Partner, product: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"product_id": product["id"], "use_case": "product_page", "origin": "https://shop.example", "consent": True}
    made: dict[str, Any] = (await partner.call("POST", "/v1/tryon/sessions", 201, json=body | more)).json()
    return made


async def jacket(partner: Partner, **more: Any) -> dict[str, Any]:
    sku = unique("JKT-")
    variants = [
        {
            "sku": f"{sku}-{size}",
            "options": {"size": size},
            "inventory": stock,
            "price": {"amount": price, "currency": "EUR"},
        }
        for size, stock, price in (("S", 0, "189.00"), ("M", 3, "191.50"), ("L", 1, "193.00"))
    ]
    shop = await partner.storefront(name="Böhm & Sons")
    given = {"sku": sku, "title": 'Jacket <script>"', "description": "Twelve ounces & more", "variants": variants}
    return await partner.product(shop, **{**given, **more})


async def state(partner: Partner, session: dict[str, Any]) -> str:
    body = (await partner.call("GET", f"/v1/tryon/sessions/{session['id']}", 200)).json()
    return str(body["status"])


async def test_the_page_shows_the_product_and_what_can_be_bought(
    partner: Partner, other: Partner, open_client: httpx.AsyncClient
) -> None:
    media = [
        {"url": "https://cdn.example/a.jpg", "alt": "front"},
        {"url": "https://x;script-src/a.jpg", "alt": "bad host"},
    ]
    product = await jacket(partner, media=media)
    large = next(variant for variant in product["variants"] if variant["options"]["size"] == "L")
    session = await opened(other, product, variant_id=large["id"])
    answer = await open_client.get(session["url"])
    page = answer.text
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Jacket &lt;script&gt;&#34;" in page
    assert "Böhm &amp; Sons" in page
    assert "Twelve ounces &amp; more" in page
    assert "<script" not in page
    assert page.index("size: L") < page.index("size: M")
    assert "191.50 EUR" in page
    assert "size: S" not in page
    assert "https://cdn.example/a.jpg" in page
    assert "bad host" not in page


async def test_only_the_sessions_site_may_frame_it(partner: Partner, open_client: httpx.AsyncClient) -> None:
    product = await jacket(partner, media=[{"url": "https://cdn.example/a.jpg", "alt": "front"}])
    answer = await open_client.get((await opened(partner, product, origin="https://a.example:8443"))["url"])
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy.pop("style-src").startswith("'sha256-")
    assert policy == {
        "default-src": "'none'", "img-src": "https://cdn.example", "base-uri": "'none'", "form-action": "'none'",
        "frame-ancestors": "https://a.example:8443",
    }  # fmt: skip
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "x-frame-options" not in answer.headers


async def test_a_session_is_opened_once_and_by_looking(partner: Partner, open_client: httpx.AsyncClient) -> None:
    session = await opened(partner, await jacket(partner))
    await open_client.head(session["url"])
    assert await state(partner, session) == "created"
    for _ in range(2):
        await open_client.get(session["url"])
        assert await state(partner, session) == "opened"


async def test_nothing_in_stock_is_said(partner: Partner, open_client: httpx.AsyncClient) -> None:
    product = await partner.product(await partner.storefront())
    page = (await open_client.get((await opened(partner, product))["url"])).text
    assert "Nothing of this piece is in stock now." in page


async def test_an_expired_link_says_so(parts: Parts, partner: Partner, open_client: httpx.AsyncClient) -> None:
    session = await opened(partner, await jacket(partner))
    past = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
    token = sign(parts.platform.secret, TryonClaims(session["id"], "https://shop.example", past))
    answer = await open_client.get(f"/tryon/{token}")
    assert answer.status_code == 410
    assert "This link has expired" in answer.text
    assert "frame-ancestors https://shop.example" in answer.headers["content-security-policy"]
    assert await state(partner, session) == "created"


async def test_a_withdrawn_product_says_so(partner: Partner, other: Partner, open_client: httpx.AsyncClient) -> None:
    product = await jacket(partner)
    session = await opened(other, product)
    await partner.call("DELETE", f"/v1/products/{product['id']}", 204)
    answer = await open_client.get(session["url"])
    assert (answer.status_code, "no longer shown" in answer.text) == (410, True)


@pytest.mark.parametrize("path", ["x", "a.b.c", "é", "%00", "a" * 5000, "eyJhbGciOiJub25lIn0.e30."])
async def test_what_is_no_link_of_ours_is_404(open_client: httpx.AsyncClient, path: str) -> None:
    answer = await open_client.get(f"/tryon/{path}")
    assert (answer.status_code, "There is nothing at this link" in answer.text) == (404, True)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_a_session_that_never_was_is_404(parts: Parts, open_client: httpx.AsyncClient) -> None:
    token = sign(parts.platform.secret, replace(CLAIMS, expires_at=datetime.now(UTC) + timedelta(minutes=1)))
    assert (await open_client.get(f"/tryon/{token}")).status_code == 404


def test_every_bent_token_is_refused() -> None:
    token = sign(SECRET, CLAIMS)
    assert verify(SECRET, token, NOW) == CLAIMS
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    for place in range(len(token)):
        other = alphabet[(alphabet.index(token[place]) + 1) % len(alphabet)]
        with pytest.raises(ForgedToken):
            verify(SECRET, token[:place] + other + token[place + 1 :], NOW)


def test_other_keys_and_algorithms_are_refused() -> None:
    payload = orjson.dumps({"sub": CLAIMS.session_id, "origin": CLAIMS.origin, "exp": 4_000_000_000})
    unsigned = "eyJhbGciOiJub25lIn0." + sign(SECRET, CLAIMS).split(".")[1] + "."
    plain = jws.serialize_compact({"alg": "HS256"}, payload, OctKey.import_key(SECRET), algorithms=["HS256"])
    for token in (unsigned, plain, sign(b"t" * 32, CLAIMS)):
        with pytest.raises(ForgedToken):
            verify(SECRET, token, NOW)


@asynccontextmanager
async def logged(parts: Parts) -> AsyncIterator[tuple[httpx.AsyncClient, Callable[[], bytes]]]:
    stream = io.BytesIO()
    log = AccessLog(stream)

    def lines() -> bytes:
        log.flush()
        return stream.getvalue()

    transport = httpx.ASGITransport(build_app(replace(parts, access_log=log)))
    async with httpx.AsyncClient(transport=transport, base_url=parts.platform.public_url) as client:
        yield client, lines


async def test_the_token_is_in_no_log(parts: Parts, partner: Partner) -> None:
    session = await opened(partner, await jacket(partner))
    async with logged(parts) as (client, lines):
        await client.get(session["url"])
        assert lines()
        assert orjson.loads(lines())["route"] == "/tryon/{token}"
        assert session["token"].encode() not in lines()
