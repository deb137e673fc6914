"""`listen` and `trigger`: webhooks on a laptop, and events to try them with."""

from typing import Annotated

import orjson
import typer

from app.cli.settings import current
from app.listening import Listener, Refused
from app.parts import Parts
from app.runtime import run_with_parts
from app.settings import WrongSetting
from app.triggers import EVENT_TYPES, trigger
from auth.scopes import DEFAULT_SCOPES
from auth.viewer import Viewer
from resolvers.context import Context, new_context
from webhooks.signing import SigningKey, new_key, secret_bytes, secret_text

_NEWEST = """select u.id as user_id, c.id as client_id, c.organization_id from clients c
  join users u on u.organization_id = c.organization_id
  where c.status = 'active' and ($1::text is null or $1 in (u.handle, u.id, c.id)) order by c.id desc limit 1"""


def register(program: typer.Typer) -> None:
    """Adds the commands."""

    @program.command()
    def listen(
        forward_to: Annotated[
            str, typer.Option(help="Where events are posted to, such as http://localhost:3000/hooks")
        ],
        token: Annotated[str, typer.Option(help="A token or sandbox API key with webhooks:manage.")],
        api: Annotated[str, typer.Option(help="Where the API is.")] = "http://127.0.0.1:8000",
        secret: Annotated[
            str, typer.Option(help="A whsec_ to sign with; made for this run where it is left out.")
        ] = "",
    ) -> None:
        """Forward your sandbox events to an address of this machine, signed as deliveries are."""
        key = SigningKey(secret_bytes(secret), new_key().seed) if secret else new_key()
        typer.echo(f"Your signing secret is {secret_text(key.secret)}; Ctrl-C ends.")
        try:
            Listener(api.rstrip("/"), token, forward_to, key, typer.echo).run()
        except Refused as refused:
            typer.echo(f"{api} does not let you listen: {refused}", err=True)
            raise typer.Exit(1) from None

    @program.command(name="trigger")
    def trigger_command(
        event: Annotated[str, typer.Argument(help=f"One of {', '.join(EVENT_TYPES)}.")],
        partner: Annotated[str, typer.Option(help="Whose: a handle, user or client; the newest partner's else.")] = "",
    ) -> None:
        """Make a real event happen in the sandbox, by the act that causes it."""
        if current().environment != "sandbox":
            raise WrongSetting("trigger works in the sandbox alone; FSHNISTA_ENVIRONMENT is production")
        if event not in EVENT_TYPES:
            raise typer.BadParameter(f"{event} is no event type; there are {', '.join(EVENT_TYPES)}")

        async def work(parts: Parts) -> dict[str, object]:
            return await trigger(await context_of(parts, partner or None), event)

        typer.echo(orjson.dumps(run_with_parts(current(), work)).decode())


async def context_of(parts: Parts, partner: str | None) -> Context:
    """A partner's context with every ordinary scope."""
    rows = await parts.db.fetch(_NEWEST, [partner])
    if not rows:
        raise typer.BadParameter("there is no such partner; make one with ./fshnista partner create")
    [row] = rows
    scopes = frozenset(DEFAULT_SCOPES)
    viewer = Viewer(row["user_id"], row["client_id"], row["organization_id"], scopes, tier="internal")
    return new_context(viewer, parts.db, parts.platform)
