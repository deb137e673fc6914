"""`schema`, `openapi`: the descriptions of both surfaces, printed from code."""

import typer

from rest_facade.openapi import as_text


def register(program: typer.Typer) -> None:
    """Adds the commands."""
    schema = typer.Typer(help="The GraphQL schema.", no_args_is_help=True)
    openapi = typer.Typer(help="The OpenAPI description of REST v1.", no_args_is_help=True)
    program.add_typer(schema, name="schema")
    program.add_typer(openapi, name="openapi")

    @schema.command()
    def export() -> None:
        """Print the schema as SDL."""
        from schema.build import build_schema

        typer.echo(build_schema().as_str())

    @schema.callback()
    def schema_group() -> None:
        """The GraphQL schema."""

    @openapi.callback()
    def openapi_group() -> None:
        """The OpenAPI description of REST v1."""

    @openapi.command(name="export")
    def export_openapi() -> None:
        """Print the OpenAPI 3.0 document as JSON."""
        typer.echo(as_text())
