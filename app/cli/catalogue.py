"""`catalogue import`: a product file into a storefront."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from app.cli.settings import current
from app.operator import storefront_of
from app.parts import Parts
from app.runtime import run_with_parts
from resolvers.catalogue import Report, import_products

MOST_SHOWN = 50


def register(program: typer.Typer) -> None:
    """Adds the command."""
    catalogue = typer.Typer(help="Product files.", no_args_is_help=True)
    program.add_typer(catalogue, name="catalogue")

    @catalogue.callback()
    def group() -> None:
        """Product files."""

    @catalogue.command(name="import")
    def import_command(
        file: Annotated[
            Path,
            typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="A CSV or JSON file."),
        ],
        storefront: Annotated[str, typer.Option(help="The storefront's handle; made where it is new.")],
        owner: Annotated[str | None, typer.Option(help="Who owns a new storefront: org_… or usr_….")] = None,
    ) -> None:
        """Import a product file (Shopify-style CSV, or JSON), upserting by SKU. Running it twice changes nothing."""
        report = run_with_parts(current(), lambda parts: _import(parts, file, storefront, owner))
        _print(report)
        if report.refusals and not report.read:
            raise typer.Exit(1)


async def _import(parts: Parts, file: Path, handle: str, owner: str | None) -> Report:
    ctx, storefront = await storefront_of(parts.db, parts.platform, handle, owner)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"importing {file.name}")

        def show(report: Report) -> None:
            done = f"importing {file.name}: {report.read} products, {len(report.refusals)} refused"
            bar.update(task, description=done)

        return await import_products(ctx, storefront=storefront, path=file, progress=show)


def _print(report: Report) -> None:
    typer.echo(f"{report.created} created, {report.updated} updated, {report.unchanged} unchanged")
    for refusal in report.refusals[:MOST_SHOWN]:
        place = f" {refusal.field}" if refusal.field else ""
        typer.echo(f"refused: row {refusal.row}{place}: {refusal.reason}")
    if len(report.refusals) > MOST_SHOWN:
        typer.echo(f"refused: {len(report.refusals) - MOST_SHOWN} more")
