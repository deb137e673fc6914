"""The commands. Each module says its own; here they become one program."""

import sys

import typer

from app.cli import (
    applications,
    audit,
    catalogue,
    demo,
    events,
    generate,
    keys,
    moderation,
    partners,
    schema,
    serving,
    settings,
    tryon,
    working,
)
from app.settings import WrongSetting
from db.embedded import EmbeddedError
from resolvers.errors import DomainError

HELP = """The FSHNiSTA API: identity, storefronts, affiliate links, webhooks, try-on and the design vault, over REST and GraphQL.

Start with [bold]make run[/bold]: it installs what is needed, loads a demo catalogue and prints three lines to try.
Settings are environment variables; [bold]./fshnista settings[/bold] prints each of them.
"""
MODULES = (
    demo,
    serving,
    catalogue,
    generate,
    keys,
    moderation,
    partners,
    applications,
    audit,
    schema,
    settings,
    tryon,
    events,
    working,
)


def build() -> typer.Typer:
    """The program with every command."""
    program = typer.Typer(
        help=HELP, no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False
    )
    for module in MODULES:
        module.register(program)
    return program


def main() -> None:
    """Runs the command line; a wrong setting is one line and exit code 2."""
    try:
        build()(prog_name="./fshnista")
    except WrongSetting as wrong:
        sys.exit(_say(str(wrong), 2))
    except (EmbeddedError, DomainError) as wrong:
        sys.exit(_say(str(wrong), 1))


def _say(message: str, code: int) -> int:
    typer.echo(f"fshnista: {message}", err=True)
    return code
