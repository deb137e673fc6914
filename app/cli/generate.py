"""`generate`: rows for load tests."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli.settings import current
from app.runtime import database_url
from db.generate import COLUMNS, AlreadyGenerated, Sizes, generate
from db.migrate import migrate

Storefronts = Annotated[int, typer.Option(min=1, help="How many storefronts.")]
Products = Annotated[int, typer.Option(min=1, help="How many products, spread over the storefronts.")]
Links = Annotated[int, typer.Option(min=1, help="How many affiliate links to those products.")]


def register(program: typer.Typer) -> None:
    """Adds the command."""

    @program.command(name="generate")
    def generate_command(
        storefronts: Storefronts = 50, products: Products = 2_000, links: Links = 3_000,
        seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same rows.")] = 1,
    ) -> None:  # fmt: skip
        """Fill the database for load tests, by COPY."""
        try:
            with database_url(current()) as dsn:
                counts = asyncio.run(_generate(dsn, Sizes(storefronts, products, links), seed))
        except AlreadyGenerated as wrong:
            typer.echo(f"fshnista: {wrong}", err=True)
            raise typer.Exit(1) from None
        typer.echo(", ".join(f"{count} {table}" for table, count in counts.items()))


async def _generate(dsn: str, sizes: Sizes, seed: int) -> dict[str, int]:
    await migrate(dsn)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks = {table: bar.add_task(table, total=_expected(table, sizes)) for table in COLUMNS}
        return await generate(dsn, sizes, seed, tell=lambda table, rows: bar.advance(tasks[table], rows))


def _expected(table: str, sizes: Sizes) -> int:
    rows = {"affiliate_links": sizes.links, "users": sizes.users, "storefronts": sizes.storefronts}
    return rows.get(table, sizes.products * (1 if table == "products" else 2))
