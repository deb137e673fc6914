"""`demo`: what `make run` runs. A furnished platform, a partner to be, and three lines to try."""

import asyncio
from pathlib import Path

import orjson
import typer
from rich.console import Console

from app.cli.serving import Host, Port
from app.cli.settings import current
from app.demo_catalogue import load_demo
from app.parts import Parts
from app.runtime import database_url, open_parts
from app.settings import Settings
from auth.partners import create_partner
from db.migrate import migrate

GRAPHQL = (
    "{ storefronts(first: 3) { nodes { handle owner { handle } products(first: 2) { nodes "
    "{ title price { amount currency } variants { nodes { sku inStock } } affiliateLinks { nodes { code clicks } } } } } } }"
)


def register(program: typer.Typer) -> None:
    """Adds the command."""

    @program.command()
    def demo(host: Host = "127.0.0.1", port: Port = 8000) -> None:
        """Serve with a demo catalogue and a demo partner; prints credentials and three lines to try."""
        from app.serve import check_free, serve  # the surfaces take a second to import; other commands do without

        settings = current()
        check_free(host, port)
        with database_url(settings) as dsn:
            partner = asyncio.run(_furnish(settings, dsn, f"http://{host}:{port}"))
            serve(settings, host=host, port=port, ready=lambda: _greet(partner, f"http://{host}:{port}"))


async def _furnish(settings: Settings, dsn: str, url: str) -> dict[str, str]:
    await migrate(dsn)
    console = Console(stderr=True)
    async with open_parts(settings, dsn, url=url) as parts:
        partner = await _partner(parts, settings.home / "demo-partner.json")
        with console.status("loading the demo catalogue") as status:
            loaded = await load_demo(parts.db, parts.platform, first_owner=partner["user_id"], say=status.update)
        if loaded:
            console.print("The demo catalogue is loaded.")
    return partner


async def _partner(parts: Parts, kept: Path) -> dict[str, str]:
    """The demo partner: made once; its secrets are kept in the data folder, since the database keeps only their hashes."""
    if kept.exists():
        partner: dict[str, str] = orjson.loads(kept.read_bytes())
        if await parts.db.fetch_value("select 1 from clients where id = $1", [partner["client_id"]]):
            return partner
    made = await create_partner(
        parts.db, parts.identity.hasher, "Your Brand", environment=parts.platform.environment, handle="@yourbrand"
    )
    kept.touch(mode=0o600)
    kept.write_bytes(orjson.dumps(made.as_json(), option=orjson.OPT_INDENT_2))
    return orjson.loads(kept.read_bytes())  # type: ignore[no-any-return]


def _greet(partner: dict[str, str], url: str) -> None:
    """Printed when the first request can be answered; the lines work as they stand."""
    secret = {"client_id": partner["client_id"], "client_secret": partner["client_secret"]}
    token = orjson.dumps({"grant_type": "client_credentials", **secret}).decode()
    query = orjson.dumps({"query": GRAPHQL}).decode()
    credential = f"-H 'Authorization: Bearer {partner['api_key']}'"
    lines = [
        f"FSHNiSTA API at {url}   (Ctrl-C stops it and everything it started)",
        "",
        f"  client_id      {partner['client_id']}",
        f"  client_secret  {partner['client_secret']}",
        f"  api_key        {partner['api_key']}",
        "",
        "A token, your storefronts over REST, and a joined read over GraphQL:",
        "",
        f"curl -s -X POST {url}/oauth/token -H 'Content-Type: application/json' -d '{token}'",
        f"curl -s '{url}/v1/storefronts?owner=me' {credential}",
        f"curl -s {url}/graphql {credential} -H 'Content-Type: application/json' -d '{query}'",
        "",
        f"GraphiQL is at {url}/graphql, the OpenAPI document at {url}/openapi.json; README.md goes on from here.",
    ]
    typer.echo("\n".join(lines))
