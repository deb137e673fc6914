"""What REST tells of the changes between two releases."""

from datetime import date
from typing import Literal

from pydantic import Field

from db.bodies.base import Body, Moment


class UsedBody(Body):
    """This client's own use of what a change touches, in the last 30 days."""

    count: int = Field(description="Requests that used it; of an event, your webhooks for it.", examples=[42])
    last_used_at: Moment
    operations: list[str] = Field(
        description="Names of the GraphQL operations that used it last, where they had names.",
        examples=[["StorefrontPage"]],
    )


class ChangeBody(Body):
    """One change."""

    surface: Literal["graphql", "rest"]
    kind: Literal["breaking", "careful", "deprecated", "added"] = Field(
        description="breaking: a request that worked may fail. careful: it may meet what it did not expect. "
        "deprecated: it works, and will end."
    )
    coordinate: str = Field(
        description="Where: a schema coordinate, or a method and path, with `?parameter`, `body /field`, `200 /field` or "
        "`order.created /field`.",
        examples=["Product.title"],
    )
    message: str = Field(examples=["`Product.title` is deprecated."])
    replacement: str | None = Field(None, description="What to use instead.", examples=["Product.name"])
    sunset: date | None = Field(None, description="The first day on which it may be gone.", examples=["2027-03-01"])
    days_left: int | None = Field(None, examples=[97])
    used: UsedBody | None = Field(None, description="Null where this client did not use it.")


class ChangesBody(Body):
    """What changed from one release to another, and what of it touches this client."""

    from_version: str = Field(alias="from", examples=["1.0.0"])
    to_version: str = Field(alias="to", description="`next` is what runs now.", examples=["next"])
    step: Literal["none", "patch", "minor", "major"] = Field(description="The version step that these changes ask for.")
    touching_you: int = Field(description="How many of the changes touch what this client used.", examples=[1])
    changes: list[ChangeBody]
