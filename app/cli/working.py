"""`worker`: background work alone."""

import typer

from app.cli.settings import current
from app.logs import configure_logs
from app.runtime import database_url
from app.worker import run_worker


def register(program: typer.Typer) -> None:
    """Adds the command."""

    @program.command(name="worker")
    def worker_command() -> None:
        """Do background work alone: deliver webhooks, refresh recommendations. Any number may run, on any host."""
        configure_logs()
        settings = current()
        with database_url(settings) as dsn:
            run_worker(settings, dsn, ready=lambda: typer.echo("The worker is at work; Ctrl-C ends it.", err=True))
