"""`schema`, `openapi`, `postman`: the descriptions of both surfaces, printed from code."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from app.cli.settings import current
from app.release import NoRelease, Repository, judge, write_draft, write_release
from app.releases import newest_version
from app.runtime import DEFAULT_URL
from app.settings import ROOT

REPOSITORY = Repository(ROOT)
_SAID = {"breaking": "breaks", "careful": "careful", "deprecated": "deprecates", "added": "added"}


def register(program: typer.Typer) -> None:
    """Adds the commands."""
    schema = typer.Typer(help="The GraphQL schema.", no_args_is_help=True)
    program.add_typer(schema, name="schema")
    _add_schema(schema)
    _add_releases(schema)
    _add_rest(program)


def _add_schema(schema: typer.Typer) -> None:
    @schema.callback()
    def schema_group() -> None:
        """The GraphQL schema."""

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


def _add_releases(schema: typer.Typer) -> None:
    @schema.command()
    def check() -> None:
        """Hold both surfaces against the newest release: each change, the version step it needs; exit code 1 where a promise breaks."""
        judgement = judge(REPOSITORY, _today())
        for change in judgement.changes:
            typer.echo(f"{_SAID[change.kind]}: {change.message}")
        for fault in judgement.faults:
            typer.echo(f"wrong: {fault}", err=True)
        draft = " (a draft)" if judgement.base.day is None else ""
        step = judgement.step if judgement.step != "none" else "no"
        typer.echo(f"since {judgement.base.version}{draft}: {step} change")
        if judgement.faults:
            raise typer.Exit(1)

    @schema.command()
    def release(
        version: Annotated[str, typer.Argument(help="What the release is called: major.minor.patch.")],
        draft: Annotated[
            bool,
            typer.Option(
                "--draft", help="Write its files without a date; it may be written anew until it is released."
            ),
        ] = False,
    ) -> None:
        """Write the next release: its schema, its OpenAPI document, and its entry in the changelog."""
        try:
            if draft:
                write_draft(REPOSITORY, version)
            else:
                write_release(REPOSITORY, version, _today())
        except NoRelease as refused:
            for fault in refused.faults:
                typer.echo(f"wrong: {fault}", err=True)
            raise typer.Exit(1) from None
        typer.echo(f"{version} is {'a draft' if draft else 'released'}: see schema/releases/ and CHANGELOG.md")


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

        typer.echo(as_text(url=_url(), version=newest_version()))

    @postman.callback()
    def postman_group() -> None:
        """REST v1 as a Postman collection."""

    @postman.command(name="export")
    def export_postman() -> None:
        """Print the Postman collection (format v2.1) as JSON."""
        from rest_facade.openapi import as_postman

        typer.echo(as_postman(url=_url(), version=newest_version()))


def _url() -> str:
    """Where the described API stands, as far as the settings say."""
    return current().public_url or DEFAULT_URL


def _today() -> date:
    return datetime.now(UTC).date()
