"""REST v1: the GraphQL schema as text for code generators, and the previews that a token opens."""

from pydantic import Field

from db.bodies.previews import PreviewBody
from resolvers import schemas
from rest_facade import examples
from rest_facade.call import Answer, Call
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


async def sdl(call: Call) -> Answer:
    """The schema as SDL."""
    text = schemas.sdl(call.ctx.platform.schemas, call.ctx.viewer.scopes, call.query.preview)
    return Answer(text, headers={"content-type": _TEXT})


async def previews(call: Call) -> Answer:
    """The previews that the token opens."""
    found = schemas.opened(call.ctx.platform.schemas, call.ctx.viewer.scopes)
    return envelope(call, [preview.as_json() for preview in found], None)


ROUTES = (
    Route(
        "GET", "/v1/schema.graphql", sdl, "The GraphQL schema as SDL, for code generators", TAG, {200: None},
        query=SchemaQuery, errors=(403,), content_type="text/plain",
    ),
    Route(
        "GET", "/v1/schema/previews", previews, "What your token opens at /graphql/preview, and until when", TAG,
        {200: PreviewBody}, listed=True, example_answer=examples.PREVIEW,
    ),
)  # fmt: skip
