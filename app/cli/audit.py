"""`audit verify`, `audit show`: what was done that bears on security, and whether its log is whole."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from app.cli.settings import current
from app.runtime import run_with_database
from auth.audit import Head, check_chains, entries_of

Chain = Annotated[str, typer.Argument(metavar="CHAIN", help="org_…, usr_… or platform.")]
Against = Annotated[
    Path | None, typer.Option(metavar="FILE", help="What an earlier run printed: nothing of that may be gone.")
]


def register(program: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="The log of what bears on security.", no_args_is_help=True)
    program.add_typer(group, name="audit")

    @group.command()
    def verify(against: Against = None) -> None:
        """Check every chain, and print where each stands, one JSON object a line. Exit code 1 where one is broken."""
        kept = _kept(against) if against is not None else []
        heads, faults = run_with_database(current(), lambda db: check_chains(db, kept))
        for head in heads:
            typer.echo(orjson.dumps(head).decode())
        for fault in faults:
            typer.echo(f"fshnista: {fault}", err=True)
        raise typer.Exit(1 if faults else 0)

    @group.command()
    def show(chain: Chain) -> None:
        """Print a chain, oldest entry first, one JSON object a line."""
        for entry in run_with_database(current(), lambda db: entries_of(db, chain)):
            typer.echo(orjson.dumps(entry).decode())


def _kept(path: Path) -> list[Head]:
    try:
        return [Head(**orjson.loads(line)) for line in path.read_bytes().splitlines() if line.strip()]
    except (OSError, TypeError, ValueError) as error:
        raise typer.BadParameter(f"{path} holds no lines of an earlier `audit verify`: {error}") from None
