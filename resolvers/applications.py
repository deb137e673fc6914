"""Applications for access: anybody may make one."""

from typing import Annotated, Final

from pydantic import Field

from auth import applications
from auth.applications import Wish
from db.bodies.credentials import ApplicationBody
from db.ids import is_id
from db.tables import Application
from resolvers.context import Context
from resolvers.errors import NotFound
from resolvers.inputs import Input, Line, ShortLine, ShortProse
from resolvers.writes import Written

_EMAIL: Final = r"^[A-Za-z0-9._%+-]{1,64}@([A-Za-z0-9-]{1,60}\.){1,3}[A-Za-z]{2,24}$"


class ApplicationInput(Input):
    """Who asks, for what, how much of it, and from when on."""

    organization_name: ShortLine
    contact_email: Annotated[str, Field(pattern=_EMAIL, examples=["partners@example.co.uk"])]
    use_case: ShortProse = Field(min_length=1)
    expected_volume: Line
    timeline: Line


async def create_application(ctx: Context, *, given: ApplicationInput) -> Written:
    """Keeps it for the operator to decide on."""
    row, new = await applications.apply(ctx.db, Wish(**given.model_dump()))
    return Written(_body(row).as_json(), created=new)


async def get_application(ctx: Context, *, id: str) -> ApplicationBody:  # noqa: A002 - the field's name
    """What became of it; its id is all that is needed to ask."""
    rows = await ctx.db.fetch("select * from applications where id = $1", [id]) if is_id("app", id) else []
    if not rows:
        raise NotFound("application", id)
    return ApplicationBody(**{name: rows[0][name] for name in ApplicationBody.model_fields})


def _body(row: Application) -> ApplicationBody:
    return ApplicationBody(**{name: getattr(row, name) for name in ApplicationBody.model_fields})
