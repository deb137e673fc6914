"""A storefront, as told to the outside."""

from typing import Annotated, Any

from pydantic import Field

from db.bodies.base import Body, Id, Moment, word
from db.tables import Storefront, User

Status = Annotated[str, word("draft", "active", "paused")]
Visibility = Annotated[str, word("public", "unlisted", "hidden")]


class OwnerBody(Body):
    """Whose it is."""

    id: str = Id("usr")
    handle: str = Field(examples=["@yourbrand"])


class StorefrontSettings(Body):
    """How a storefront sells and shows."""

    currency: str = Field(description="Three letters, ISO 4217.", examples=["EUR"])
    locale: str = Field(description="A language tag, BCP 47.", examples=["en"])
    visibility: Visibility


class StorefrontBody(Body):
    """A creator's shop. `products_count` counts what the viewer may see."""

    id: str = Id("sf")
    handle: str = Field(examples=["@yourbrand"])
    name: str
    description: str
    status: Status
    products_count: int
    owner: OwnerBody
    settings: StorefrontSettings
    metadata: dict[str, Any]
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, row: Storefront, owner: User, products_count: int) -> "StorefrontBody":
        """From its rows."""
        return cls.model_construct(
            id=row.id,
            handle=row.handle,
            name=row.name,
            description=row.description,
            status=row.status,
            products_count=products_count,
            owner=OwnerBody.model_construct(id=owner.id, handle=owner.handle),
            settings=StorefrontSettings.model_construct(
                currency=row.currency, locale=row.locale, visibility=row.visibility
            ),
            metadata=row.extra,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
