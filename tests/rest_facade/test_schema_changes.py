"""`GET /v1/schema/changes`: what changed, and what of it a client used itself in the last 30 days."""

import asyncio
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text

import app.asgi
import resolvers.usage
from app.asgi import Parts, build_app
from app.releases import ReleaseFolder, current
from app.settings import ROOT
from db.partitions import keep
from db.sessions import Database
from resolvers.usage import UsageLog
from tests.factories import Partner, make_partner

ENDING = 'title: String! @deprecated(reason: "x") @sunset(since: "2026-01-01", on: "2027-06-01", replacement: "Product.name")'
DIRECTIVE = "directive @sunset(since: String!, on: String!, replacement: String!) on FIELD_DEFINITION\n"


async def changes(partner: Partner, query: str = "", status: int = 200):
    return (await partner.call("GET", f"/v1/schema/changes{query}", status)).json()


async def test_it_answers_from_the_newest_release_to_what_runs(partner: Partner) -> None:
    told = await changes(partner)
    assert told == await changes(partner, "?from=1.0.0&to=next")
    assert (told["from"], told["to"], told["touching_you"]) == ("1.0.0", "next", 0)
    same = await changes(partner, "?from=1.0.0&to=1.0.0")
    assert (same["step"], same["changes"]) == ("none", [])


async def test_versions_that_there_are_not_are_refused_by_name(partner: Partner) -> None:
    refused = await changes(partner, "?from=0.9.0", 422)
    assert refused["errors"][0]["pointer"] == "/from"
    assert "1.0.0, next" in refused["errors"][0]["message"]
    assert (await changes(partner, "?to=2.0.0", 422))["errors"][0]["pointer"] == "/to"
    assert (await changes(partner, "?from=next&to=1.0.0", 422))["errors"][0]["pointer"] == "/from"
    assert (await changes(partner, "?since=1.0.0", 422))["errors"][0]["pointer"] == "/since"


@pytest.fixture
def folder(tmp_path: Path) -> ReleaseFolder:
    """Two releases before what runs: 0.9.0 differed in what the tests use and in what they do not; 0.9.1 deprecates a title."""
    sdl, openapi = current().sdl, current().openapi
    for version in ("0.9.0", "0.9.1"):
        document = orjson.loads(orjson.dumps(openapi))
        schemas = document["components"]["schemas"]
        if version == "0.9.0":
            schemas["MeBody"]["properties"]["nickname"] = {"type": "string"}
            schemas["OrderBody"]["properties"]["nickname"] = {"type": "string"}
            schemas["StorefrontInput"]["properties"]["name"] = {"type": "integer"}
            schemas["StorefrontInput"]["properties"]["description"] = {"type": "integer"}
        (tmp_path / f"{version}.openapi.json").write_bytes(orjson.dumps(document))
    product = sdl.index("type Product ")
    old = sdl[:product] + sdl[product:].replace("title: String!", "title: Int!", 1).replace(
        "sku: String!", "sku: Int!", 1
    )
    marked = DIRECTIVE + sdl[:product] + sdl[product:].replace("title: String!", ENDING, 1)
    assert old != sdl != marked
    (tmp_path / "0.9.0.graphql").write_text(old)
    (tmp_path / "0.9.1.graphql").write_text(marked)
    return ReleaseFolder(tmp_path)


@pytest.fixture
async def client(parts: Parts, folder: ReleaseFolder, monkeypatch):
    """A client of an application with those releases."""
    monkeypatch.setattr(app.asgi, "ReleaseFolder", lambda: folder)
    transport = httpx.ASGITransport(build_app(parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver.example") as found:
        yield found


def used(told) -> dict[str, Any]:
    return {one["coordinate"]: one["used"] for one in told["changes"] if one["used"] is not None}


async def test_each_client_is_told_what_touches_its_own_use(parts: Parts, client, db: Database) -> None:
    partner, other = await make_partner(parts, client), await make_partner(parts, client)
    await partner.storefront()
    await partner.call("GET", "/v1/me", 200)
    for _ in range(3):
        await partner.data("query Titles { products(first: 1) { nodes { title } } }")
    told = await changes(partner, "?from=0.9.0")
    kinds = {one["coordinate"]: one["kind"] for one in told["changes"]}
    assert told["step"] == "major"
    assert kinds.items() >= {
        "Product.title": "breaking", "Product.sku": "breaking", "GET /v1/me 200 /nickname": "breaking",
        "POST /v1/storefronts body /name": "breaking", "POST /v1/storefronts body /description": "breaking",
    }.items()  # fmt: skip
    mine = used(told)
    assert set(mine) == {"Product.title", "GET /v1/me 200 /nickname", "POST /v1/storefronts body /name"}
    assert told["touching_you"] == 3
    assert (mine["Product.title"]["count"], mine["Product.title"]["operations"]) == (3, ["Titles"])
    assert mine["GET /v1/me 200 /nickname"]["count"] == 1
    assert used(await changes(other, "?from=0.9.0")) == {}
    async with db.write() as session:  # a month goes by
        month = text("update client_uses set day = day - interval '31 days' where client_id = :id")
        await (await session.connection()).execute(month, {"id": partner.client_id})
    assert used(await changes(partner, "?from=0.9.0")) == {}


async def test_days_past_their_time_are_dropped_whole(db: Database) -> None:
    old = datetime.now(UTC) - timedelta(days=40)
    row = "insert into client_uses values ('cli_old', 'Query.me', date_trunc('day', $1::timestamptz, 'UTC'), 1, $1, '')"
    count = "select count(*) from client_uses where client_id = 'cli_old'"
    async with db.pool.acquire() as connection:
        await connection.execute(
            f"create table days.client_uses_{old:%Y%m%d} partition of client_uses "
            f"for values from ('{old:%Y-%m-%d}T00:00Z') to ('{old + timedelta(days=1):%Y-%m-%d}T00:00Z')"
        )
        await connection.execute(row, old)
        assert await connection.fetchval(count) == 1
        await keep(connection, datetime.now(UTC).date())
        assert await connection.fetchval(count) == 0


async def test_a_webhook_of_any_age_counts_for_what_is_posted_to_it(parts: Parts, client) -> None:
    partner, other = await make_partner(parts, client), await make_partner(parts, client)
    for hook in ("one", "two"):
        body = {"url": f"https://example.com/{hook}", "events": ["order.created"]}
        await partner.call("POST", "/v1/webhooks", 201, json=body)
    told = {at: use for at, use in used(await changes(partner, "?from=0.9.0")).items() if "webhooks" in at}
    assert set(told) == {"POST /v1/webhooks order.created /data/nickname"}
    assert told["POST /v1/webhooks order.created /data/nickname"]["count"] == 2
    assert used(await changes(other, "?from=0.9.0")) == {}


async def test_what_was_deprecated_before_is_still_told(parts: Parts, client) -> None:
    partner = await make_partner(parts, client)
    await partner.data("{ products(first: 1) { nodes { title } } }")
    told = await changes(partner, "?from=0.9.1&to=0.9.1")
    assert told["step"] == "none"
    [one] = told["changes"]
    assert (one["kind"], one["coordinate"], one["replacement"]) == ("deprecated", "Product.title", "Product.name")
    assert one["sunset"] == "2027-06-01"
    assert one["days_left"] > 0
    assert one["used"]["count"] == 1


async def test_words_that_clients_make_up_take_no_room(parts: Parts, client, db: Database) -> None:
    partner = await make_partner(parts, client)
    await partner.storefront(metadata={"anything": 1, "else": {"at": "all"}})
    await changes(partner)
    rows = await db.fetch("select coordinate from client_uses where client_id = $1", [partner.client_id])
    found = {row["coordinate"] for row in rows}
    assert "POST /v1/storefronts body /metadata" in found
    assert not any("anything" in coordinate for coordinate in found)


async def test_notes_are_kept_where_the_database_is_away(parts: Parts, db: Database, monkeypatch) -> None:
    log = parts.platform.usage
    assert log is not None
    log.note("cli_away", frozenset({"Query.me"}))

    def away():
        raise OSError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(db, "write", away)
        with pytest.raises(OSError, match="gone"):
            await log.write()
    log.note("cli_away", frozenset({"Query.me"}))
    assert (await log.of("cli_away"))["Query.me"].count == 2


async def test_what_was_noted_is_written_by_itself_and_at_the_end(db: Database, monkeypatch) -> None:
    monkeypatch.setattr(resolvers.usage, "SECONDS", 0.01)
    count = "select sum(count) from client_uses where client_id = 'cli_timed'"
    async with asyncio.timeout(10), UsageLog.open(db) as log:
        log.note("cli_timed", frozenset({"Query.me"}))
        while await db.fetch_value(count) is None:  # noqa: ASYNC110 - the log sends no word
            await asyncio.sleep(0.01)
        monkeypatch.setattr(resolvers.usage, "SECONDS", 60)
        await asyncio.sleep(0.05)
        log.note("cli_timed", frozenset({"Query.me"}))
    assert await db.fetch_value(count) == 2


async def test_processes_that_write_at_once_lose_nothing(db: Database) -> None:
    logs = [UsageLog(db) for _ in range(5)]
    for turn, log in enumerate(logs):
        for coordinate in sorted((f"Query.f{number}" for number in range(50)), reverse=turn % 2 == 0):
            log.note("cli_many", frozenset({coordinate}), "Many")
    await asyncio.gather(*(log.write() for log in logs))
    assert {use.count for use in (await logs[0].of("cli_many")).values()} == {5}


async def test_the_commands_of_the_page_work_as_printed(live_server) -> None:
    page = (ROOT / "docs" / "versions.md").read_text()
    environment = {**os.environ, "API": live_server.url, "TOKEN": live_server.token}
    asked, held = re.findall(r"```bash\n(.*?)\n```", page, re.DOTALL)
    for command, expected in ((asked, '"touching_you":'), (held, "since 1.")):
        process = await asyncio.create_subprocess_shell(
            command, env=environment, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        assert process.returncode == 0
        assert expected in said.decode()
