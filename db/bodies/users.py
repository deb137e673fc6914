"""Who the token's user is, as told to the outside."""

from pydantic import Field

from db.bodies.base import Body, Id


class OrganizationBody(Body):
    """The partner behind the token."""

    id: str = Id("org")
    name: str


class MeBody(Body):
    """The authenticated user, and what the token allows."""

    id: str = Id("usr")
    handle: str = Field(examples=["@yourbrand"])
    display_name: str
    twin_active: bool
    organization: OrganizationBody
    scopes: list[str]
    environment: str = Field(examples=["sandbox"])
