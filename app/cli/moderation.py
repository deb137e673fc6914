"""`moderation approve`, `moderation reject`: the operator's word on an uploaded asset."""

from typing import Annotated

import orjson
import typer

from app.cli.settings import current
from app.runtime import run_with_database
from resolvers.moderation import Decision, decide

AssetId = Annotated[str, typer.Argument(metavar="ASSET_ID", help="ast_…")]
Reason = Annotated[str | None, typer.Option(help="What its owner is told.")]


def register(program: typer.Typer) -> None:
    """Adds the commands."""
    moderation = typer.Typer(help="Decide on uploaded assets.", no_args_is_help=True)
    program.add_typer(moderation, name="moderation")

    @moderation.command()
    def approve(asset_id: AssetId, reason: Reason = None) -> None:
        """Let an asset be published; prints it as it then stands."""
        _decide(asset_id, "approved", reason)

    @moderation.command()
    def reject(asset_id: AssetId, reason: Reason = None) -> None:
        """Refuse an asset, a published one as well; prints it as it then stands."""
        _decide(asset_id, "rejected", reason)


def _decide(asset_id: str, decision: Decision, reason: str | None) -> None:
    body = run_with_database(current(), lambda db: decide(db, asset_id=asset_id, decision=decision, reason=reason))
    typer.echo(orjson.dumps(body).decode())
