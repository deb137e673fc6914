"""`keys rotate`: a new key signs the tokens from now on."""

import typer

from app.cli.settings import current
from app.parts import Parts
from app.runtime import run_with_parts


def register(program: typer.Typer) -> None:
    """Adds the command."""
    keys = typer.Typer(help="The keys that sign access tokens.", no_args_is_help=True)
    program.add_typer(keys, name="keys")

    @keys.callback()
    def group() -> None:
        """The keys that sign access tokens."""

    @keys.command()
    def rotate() -> None:
        """Make a new signing key; the old one verifies until the last token it signed has expired."""

        async def work(parts: Parts) -> str:
            return await parts.identity.rotate_keys()

        typer.echo(f"Tokens are signed with {run_with_parts(current(), work)} from now on.")
