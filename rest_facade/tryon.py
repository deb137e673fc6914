"""REST v1: try-on sessions."""

from db.bodies.tryon import NewTryonSessionBody, TryonSessionBody
from resolvers import tryon
from resolvers.tryon_inputs import TryonSessionInput
from rest_facade import examples
from rest_facade.call import Answer, Call, shown, written
from rest_facade.route import Route


async def create(call: Call) -> Answer:
    """A new session with its link."""
    outcome = await tryon.create_session(call.ctx, given=call.body)
    answer = written(outcome, "/v1/tryon/sessions/{id}")
    return Answer(answer.body, answer.status, answer.headers | {"cache-control": "no-store"})


async def show(call: Call) -> Answer:
    """One session."""
    return shown(TryonSessionBody.of(await tryon.get_session(call.ctx, id=call.path["id"])))


ROUTES = (
    Route(
        "POST", "/v1/tryon/sessions", create, "Open a try-on session for a shopper", "Try-On",
        {201: NewTryonSessionBody}, scope="tryon:write", body=TryonSessionInput, errors=(403,),
        example=examples.TRYON_SESSION_INPUT, example_answer=examples.NEW_TRYON_SESSION,
    ),
    Route(
        "GET", "/v1/tryon/sessions/{id}", show, "One try-on session of yours", "Try-On", {200: TryonSessionBody},
        scope="tryon:write", example_answer=examples.TRYON_SESSION,
    ),
)  # fmt: skip
