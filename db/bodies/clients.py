"""An organisation's clients (its applications), as told to the outside."""

from typing import Annotated

from pydantic import Field

from db.bodies.base import Body, Id, Moment, word


class ClientBody(Body):
    """An application that may ask for tokens. `scopes` are what it may ask for."""

    id: str = Id("cli")
    name: str
    environment: Annotated[str, word("sandbox", "production")]
    status: Annotated[str, word("active", "suspended")]
    tier: Annotated[str, word("default", "burst", "internal")]
    scopes: list[str]
    redirect_uris: list[str]
    allowed_addresses: list[str] = Field(description="Addresses and networks it may call from; empty: everywhere.")
    dpop_bound: bool = Field(description="Whether its tokens are bound to a key (RFC 9449).")
    created_at: Moment


class NewClientBody(ClientBody):
    """The same when it is made; `client_secret` is shown this once."""

    client_secret: str = Field(examples=["fss_test_..."])
