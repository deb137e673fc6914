"""What REST tells of a preview of the GraphQL schema."""

from pydantic import Field

from db.bodies.base import Body


class PreviewBody(Body):
    """A part of the GraphQL schema that is not released yet, served at /graphql/preview."""

    name: str = Field(examples=["lookbooks"])
    scope: str = Field(description="What a token must hold.", examples=["preview:lookbooks"])
    until: str = Field(description="The day on which it is released or ends, or is extended.", examples=["2027-02-26"])
    about: str = Field(description="What it is for.")
    owner: str = Field(description="Who answers for it.")
    opens: list[str] = Field(description="Coordinates of what it adds.", examples=[["Query.lookbooks"]])
