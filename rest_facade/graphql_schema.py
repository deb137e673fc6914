"""REST v1: the GraphQL schema as text for code generators, the previews that a token opens, and what changed."""

from pydantic import Field

from db.bodies.changes import ChangesBody
from db.bodies.previews import PreviewBody
from resolvers import changes, schemas
from rest_facade import examples
from rest_facade.call import Answer, Call, shown
from rest_facade.endpoint import envelope
from rest_facade.queries import Query, Text
from rest_facade.route import Route

TAG = "Schema"
_TEXT = "text/plain; charset=utf-8"


class SchemaQuery(Query):
    """Which schema. Without `preview`, the released one."""

    preview: Text | None = Field(
        None, description="Previews to open, with commas between; empty for all that your token opens.",
        examples=["events"],
    )  # fmt: skip


class ChangesQuery(Query):
    """Between which versions. Without `from`, since the newest release; without `to`, up to what runs now."""

    from_: Text | None = Field(None, alias="from", description="A released version.", examples=["1.0.0"])
    to: Text | None = Field(None, description="A released version, or `next`: what runs now.", examples=["next"])


async def sdl(call: Call) -> Answer:
    """The schema as SDL."""
    text = schemas.sdl(call.ctx.platform.schemas, call.ctx.viewer.scopes, call.query.preview)
    return Answer(text, headers={"content-type": _TEXT})


async def previews(call: Call) -> Answer:
    """The previews that the token opens."""
    found = schemas.opened(call.ctx.platform.schemas, call.ctx.viewer.scopes)
    return envelope(call, [preview.as_json() for preview in found], None)


async def list_changes(call: Call) -> Answer:
    """What changed, and what of it touches this client."""
    return shown(await changes.list_changes(call.ctx, old=call.query.from_, new=call.query.to))


ROUTES = (
    Route(
        "GET", "/v1/schema.graphql", sdl, "The GraphQL schema as SDL, for code generators", TAG, {200: None},
        query=SchemaQuery, errors=(403,), content_type="text/plain",
    ),
    Route(
        "GET", "/v1/schema/previews", previews, "What your token opens at /graphql/preview, and until when", TAG,
        {200: PreviewBody}, listed=True, example_answer=examples.PREVIEW,
    ),
    Route(
        "GET", "/v1/schema/changes", list_changes, "What changed between two versions, and what of it you use", TAG,
        {200: ChangesBody}, query=ChangesQuery, example_answer=examples.CHANGES,
    ),
)  # fmt: skip
