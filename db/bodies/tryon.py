"""A try-on session, as told to the outside."""

from typing import Annotated

from pydantic import Field

from db.bodies.base import Body, Id, Moment, word
from db.tables import TryonSession

Status = Annotated[str, word("created", "opened", "completed")]


class TryonSessionBody(Body):
    """A shopper's short-lived leave to try one product. `subject` is the partner's own name for the shopper."""

    id: str = Id("tos")
    status: Status
    product_id: str = Id("prd")
    variant_id: str | None
    use_case: str = Field(examples=["product_page"])
    origin: str = Field(examples=["https://shop.example.com"])
    subject: str | None
    created_at: Moment
    expires_at: Moment

    @classmethod
    def of(cls, row: TryonSession) -> "TryonSessionBody":
        """From its row."""
        return cls.model_construct(**{name: getattr(row, name) for name in cls.model_fields})


class NewTryonSessionBody(TryonSessionBody):
    """The same with the link, which only the answer to its creation has."""

    token: str
    url: str = Field(description="The shopper's page; show it in a frame of `origin`, or open it.")
