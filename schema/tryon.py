"""GraphQL: try-on sessions."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry import UNSET, Info

from db import tables
from db.relations import TRYON_PRODUCT, TRYON_SESSION, TRYON_VARIANT
from resolvers import tryon
from resolvers.context import Context
from resolvers.tryon_inputs import TryonSessionInput
from resolvers.writes import Written
from schema.fields import relation
from schema.mutations import UserError, as_input, run
from schema.node import Node, shows
from schema.products import Product, ProductVariant


@strawberry.enum(name="TryonSessionStatus", description="How far a try-on session has come.")
class TryonSessionStatus(Enum):
    """Kept in lower case, shown in upper case."""

    CREATED = "created"
    OPENED = "opened"
    COMPLETED = "completed"


@strawberry.type(description="A shopper's short-lived leave to try one product.")
class TryonSession(Node):
    """Resolves from a row of `tryon_sessions`."""

    is_type_of = shows(tables.TryonSession)
    status: TryonSessionStatus
    product: Product | None = relation(TRYON_PRODUCT, description="Null where you may no longer see it.")
    product_id: strawberry.ID
    variant: ProductVariant | None = relation(TRYON_VARIANT)
    variant_id: strawberry.ID | None
    use_case: str
    origin: str = strawberry.field(description="The site that may show it in a frame.")
    subject: str | None = strawberry.field(description="Your own name for the shopper.")
    created_at: datetime
    expires_at: datetime


@strawberry.input(description="A new try-on session.")
class TryonSessionCreateInput:
    """`consent` has to be true."""

    product_id: strawberry.ID
    variant_id: strawberry.ID | None = UNSET
    use_case: str
    origin: str
    subject: str | None = UNSET
    ttl_seconds: int | None = UNSET
    consent: bool


@strawberry.type(description="The new session with its link, or what was wrong.")
class TryonSessionPayload:
    """The link is told this once."""

    tryon_session: TryonSession | None
    token: str | None
    url: str | None = strawberry.field(description="The shopper's page.")
    user_errors: list[UserError]


@strawberry.type
class TryonMutations:
    """Mirrors REST's writes."""

    @strawberry.mutation(description="Open a try-on session for a shopper.")
    async def tryon_session_create(self, info: Info, input: TryonSessionCreateInput) -> TryonSessionPayload:  # noqa: A002
        """`POST /v1/tryon/sessions`."""

        async def act(ctx: Context) -> Written:
            return await tryon.create_session(ctx, given=as_input(TryonSessionInput, input))

        return await run(
            info, TryonSessionPayload, "tryon_session", TRYON_SESSION, act,
            token=lambda written: written.body["token"], url=lambda written: written.body["url"],
        )  # fmt: skip
