"""`serve`, `migrate`, `demo`: the server and what it needs before it runs."""

import asyncio
from typing import Annotated

import typer

from app.cli.settings import current
from app.runtime import database_url
from db.migrate import migrate

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")]


def register(program: typer.Typer) -> None:
    """Adds the commands."""

    @program.command(name="serve")
    def serve_command(
        host: Host = "127.0.0.1",
        port: Port = 8000,
        workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that serve.")] = 1,
        no_worker: Annotated[bool, typer.Option("--no-worker", help="Serve without background work.")] = False,
    ) -> None:
        """Serve the API; the background worker runs beside it."""
        from app.serve import serve  # the surfaces take a second to import; other commands do without

        serve(current(), host=host, port=port, workers=workers, worker=not no_worker)

    @program.command(name="migrate")
    def migrate_command() -> None:
        """Bring the database to the newest schema."""
        with database_url(current()) as dsn:
            asyncio.run(migrate(dsn))
        typer.echo("The database is at the newest schema.")
