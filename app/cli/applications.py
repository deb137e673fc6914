"""`application list`, `approve`, `reject`: the operator decides who gets access."""

from typing import Annotated

import orjson
import typer

from app.cli.partners import AsJson, run, show_made
from app.cli.settings import current
from app.parts import Parts
from auth import applications

Id = Annotated[str, typer.Argument(metavar="APPLICATION_ID", help="app_ and a ULID, as `application list` shows it.")]

Tier = Annotated[str, typer.Option(help="default (100/min), burst (1000/min) or internal (no limit).")]


def register(program: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Applications for access.", no_args_is_help=True)
    program.add_typer(group, name="application")

    @group.command(name="list")
    def show() -> None:
        """Print the pending applications, one JSON object a line."""

        async def work(parts: Parts) -> None:
            for row in await applications.waiting(parts.db):
                typer.echo(orjson.dumps(row).decode())

        run(work)

    @group.command()
    def approve(application_id: Id, tier: Tier = "default", as_json: AsJson = False) -> None:
        """Make the organisation with its client and secret. They are shown this once."""

        async def work(parts: Parts) -> None:
            made = await applications.approve(
                parts.db, parts.identity.hasher, application_id, environment=current().environment, tier=tier
            )
            show_made(made.as_json(), as_json=as_json)

        run(work)

    @group.command()
    def reject(application_id: Id, reason: Annotated[str, typer.Option(help="What the applicant reads.")]) -> None:
        """Say no, and why."""

        async def work(parts: Parts) -> None:
            await applications.reject(parts.db, application_id, reason)

        run(work)
