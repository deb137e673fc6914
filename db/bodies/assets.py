"""An asset, as told to the outside."""

from typing import Annotated, Any

from pydantic import Field

from db.bodies.base import Body, Id, Moment, word
from db.tables import Asset

Status = Annotated[str, word("pending_review", "approved", "rejected", "published")]
RightsMoment = Annotated[str, Field(examples=["2026-11-23T09:30:00.125Z"], json_schema_extra={"format": "date-time"})]


class RightsBody(Body):
    """What its owner lets others do with it. No territories: everywhere."""

    license: str = Field(examples=["editorial"])
    territories: list[str] = Field(description="ISO 3166-1, two letters.", examples=[["FR"]])
    embargo_until: RightsMoment | None
    expires_at: RightsMoment | None
    ai_training: bool


class AssetBody(Body):
    """A file in the design vault. `sha256` is of its bytes, in hex; `size` counts them."""

    id: str = Id("ast")
    title: str
    status: Status
    review_reason: str | None = Field(description="What the reviewer said, where anything was said.")
    content_type: str = Field(description="By the file's own bytes.", examples=["image/png"])
    size: int
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    region: Annotated[str, word("eu", "us")]
    owner_id: str = Id("usr")
    collection_id: str | None
    rights: RightsBody
    created_at: Moment
    updated_at: Moment
    published_at: Moment | None

    @classmethod
    def of(cls, row: Asset) -> "AssetBody":
        """From its row."""
        names = [name for name in cls.model_fields if name != "rights"]
        values: dict[str, Any] = {name: getattr(row, name) for name in names}
        return cls.model_construct(**values, rights=RightsBody.model_construct(**row.rights))
