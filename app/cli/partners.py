"""`partner create`, `creator create`: accounts, made by the operator."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import orjson
import typer

from app.cli.settings import current
from app.parts import Parts
from app.runtime import run_with_parts
from auth.partners import WrongAccount, create_creator, create_partner

T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Region = Annotated[str, typer.Option(help="Where its data is kept: eu or us.")]


def register(program: typer.Typer) -> None:
    """Adds the commands."""
    partner = typer.Typer(help="Partners: organisations with a client of their own.", no_args_is_help=True)
    creator = typer.Typer(help="Creators: people who sign in at the consent page.", no_args_is_help=True)
    program.add_typer(partner, name="partner")
    program.add_typer(creator, name="creator")
    _add_partner(partner)
    _add_creator(creator)


def _add_partner(partner: typer.Typer) -> None:
    @partner.callback()
    def group() -> None:
        """Partners: organisations with a client of their own."""

    @partner.command()
    def create(
        name: Annotated[str, typer.Argument(metavar="NAME", help="The organisation's name.")],
        scopes: Annotated[str | None, typer.Option(help="Space-separated; every ordinary one where left out.")] = None,
        redirect_uri: Annotated[list[str] | None, typer.Option(help="Where codes may go; repeatable.")] = None,
        tier: Annotated[
            str, typer.Option(help="default (100/min), burst (1000/min) or internal (no limit).")
        ] = "default",
        region: Region = "eu",
        as_json: AsJson = False,
    ) -> None:
        """Make a partner with a client, its secret and, in the sandbox, an API key. They are shown this once."""
        settings = current()

        async def work(parts: Parts) -> dict[str, str | None]:
            made = await create_partner(
                parts.db, parts.identity.hasher, name, environment=settings.environment, scopes=scopes,
                redirect_uris=tuple(redirect_uri or ()), tier=tier, region=region,
            )  # fmt: skip
            return made.as_json()

        show_made(run(work), as_json=as_json)


def _add_creator(creator: typer.Typer) -> None:
    @creator.callback()
    def group() -> None:
        """Creators: people who sign in at the consent page."""

    @creator.command()
    def create(
        handle: Annotated[str, typer.Argument(metavar="HANDLE", help="Such as @mara.")],
        email: Annotated[str, typer.Option(help="What she signs in with.")],
        password: Annotated[str, typer.Option(help="8 characters or more.")],
        region: Region = "eu",
        as_json: AsJson = False,
    ) -> None:
        """Make a creator's account."""

        async def work(parts: Parts) -> dict[str, str]:
            made = await create_creator(parts.db, handle, email=email, password=password, region=region)
            return made.as_json()

        show_made(run(work), as_json=as_json)


def run(work: Callable[[Parts], Awaitable[T]]) -> T:
    """The work's result; a wrong account is one line and exit code 2."""
    try:
        return run_with_parts(current(), work)
    except WrongAccount as wrong:
        typer.echo(f"fshnista: {wrong}", err=True)
        raise typer.Exit(2) from None


def show_made(made: dict[str, str] | dict[str, str | None], *, as_json: bool) -> None:
    """Prints what was made, for programs or for people."""
    if as_json:
        typer.echo(orjson.dumps(made).decode())
        return
    for name, value in made.items():
        typer.echo(f"{name:16} {value or '-'}")
