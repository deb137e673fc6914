"""REST v1: the applications of an organisation."""

from db.bodies.clients import ClientBody, NewClientBody
from resolvers import clients
from resolvers.clients import ClientChanges, ClientInput
from rest_facade import examples
from rest_facade.call import Answer, Call, shown, written
from rest_facade.endpoint import envelope
from rest_facade.route import Route

SCOPE, TAG = "profile:read", "Clients"


async def index(call: Call) -> Answer:
    """Every client."""
    return envelope(call, [body.as_json() for body in await clients.list_clients(call.ctx)], None)


async def show(call: Call) -> Answer:
    """One client."""
    return shown(await clients.get_client(call.ctx, id=call.path["id"]))


async def create(call: Call) -> Answer:
    """A further client."""
    return written(await clients.create_client(call.ctx, given=call.body), "/v1/clients/{id}")


async def update(call: Call) -> Answer:
    """Changes a client."""
    client = call.scope.get("client")
    address = client[0] if client else ""
    return shown(await clients.update_client(call.ctx, id=call.path["id"], given=call.body, address=address))


ROUTES = (
    Route(
        "GET", "/v1/clients", index, "The clients (applications) of your organisation", TAG, {200: ClientBody},
        scope=SCOPE, listed=True, example_answer=examples.CLIENT,
    ),
    Route(
        "POST", "/v1/clients", create, "A further client, for the sandbox or production; its secret is shown this once",
        TAG, {201: NewClientBody}, scope=SCOPE, body=ClientInput, errors=(409,), example=examples.CLIENT_INPUT,
        example_answer=examples.CLIENT | {"client_secret": "fss_test_..."},
    ),
    Route(
        "GET", "/v1/clients/{id}", show, "One client", TAG, {200: ClientBody}, scope=SCOPE,
        example_answer=examples.CLIENT,
    ),
    Route(
        "PATCH", "/v1/clients/{id}", update, "Change a client: its name, redirects, addresses; suspend it", TAG,
        {200: ClientBody}, scope=SCOPE, body=ClientChanges, errors=(409,),
        example={"allowed_addresses": ["192.0.2.0/24"]}, example_answer=examples.CLIENT,
    ),
)  # fmt: skip
