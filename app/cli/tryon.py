"""`tryon approve`: the operator's word on what a partner may use try-on for."""

from typing import Annotated

import typer

from app.cli.settings import current
from app.runtime import run_with_database
from resolvers.tryon_approvals import approve

Org = Annotated[str, typer.Argument(metavar="ORG", help="org_…")]
UseCase = Annotated[str, typer.Argument(metavar="USE_CASE", help="Such as fitting_room.")]


def register(program: typer.Typer) -> None:
    """Adds the commands."""
    tryon = typer.Typer(help="What partners may use try-on for.", no_args_is_help=True)
    program.add_typer(tryon, name="tryon")

    @tryon.callback()
    def tryon_group() -> None:
        """What partners may use try-on for."""

    @tryon.command(name="approve")
    def approve_command(organization: Org, use_case: UseCase) -> None:
        """Approve a use case for an organisation; everyone has product_page in the sandbox."""
        fresh = run_with_database(current(), lambda db: approve(db, organization_id=organization, use_case=use_case))
        typer.echo(f"{organization} {'may now' if fresh else 'could already'} use try-on for {use_case}.")
