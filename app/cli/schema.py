"""`schema`, `openapi`, `postman`: the descriptions of both surfaces, printed from code."""

from typing import Annotated

import typer

from app.cli.settings import current
from app.runtime import DEFAULT_URL


def register(program: typer.Typer) -> None:
    """Adds the commands."""
    schema = typer.Typer(help="The GraphQL schema.", no_args_is_help=True)
    program.add_typer(schema, name="schema")
    _add_rest(program)

    @schema.command()
    def export(
        preview: Annotated[
            list[str] | None, typer.Option(help="A preview to open; may be given several times.")
        ] = None,
    ) -> None:
        """Print the schema as SDL: the stable one, or with previews opened."""
        from schema.build import ALL_PREVIEWS, build_schema, open_previews

        asked = frozenset(preview or ())
        unknown = sorted(asked - ALL_PREVIEWS)
        if unknown:
            raise typer.BadParameter(f"{unknown[0]!r} is no preview; there are {', '.join(sorted(ALL_PREVIEWS))}")
        for name in sorted(asked - open_previews().keys()):
            typer.echo(f"the preview {name} opens nothing now", err=True)
        typer.echo(build_schema(asked).as_str())

    @schema.command()
    def check() -> None:
        """Hold the schema against the last release: each change, the version step it needs; exit code 1 where it breaks."""
        from schema.build import build_schema
        from schema.changes import changes_between, newest_release

        version, released = newest_release()
        changes = changes_between(released, build_schema().as_str())
        for word, told in (("breaks", changes.breaking), ("careful", changes.careful), ("added", changes.added)):
            for change in told:
                typer.echo(f"{word}: {change}")
        typer.echo(f"since {version}: {changes.step if changes.step != 'none' else 'no'} change")
        if changes.breaking:
            raise typer.Exit(1)

    @schema.callback()
    def schema_group() -> None:
        """The GraphQL schema."""


def _add_rest(program: typer.Typer) -> None:
    openapi = typer.Typer(help="The OpenAPI description of REST v1.", no_args_is_help=True)
    postman = typer.Typer(help="REST v1 as a Postman collection.", no_args_is_help=True)
    program.add_typer(openapi, name="openapi")
    program.add_typer(postman, name="postman")

    @openapi.callback()
    def openapi_group() -> None:
        """The OpenAPI description of REST v1."""

    @openapi.command(name="export")
    def export_openapi() -> None:
        """Print the OpenAPI 3.0 document as JSON."""
        from rest_facade.openapi import as_text

        typer.echo(as_text(url=_url()))

    @postman.callback()
    def postman_group() -> None:
        """REST v1 as a Postman collection."""

    @postman.command(name="export")
    def export_postman() -> None:
        """Print the Postman collection (format v2.1) as JSON."""
        from rest_facade.openapi import as_postman

        typer.echo(as_postman(url=_url()))


def _url() -> str:
    """Where the described API stands, as far as the settings say."""
    return current().public_url or DEFAULT_URL
