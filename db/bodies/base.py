"""What every body shares."""

from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from db.cursors import rfc3339
from db.ids import ULID_PATTERN

Moment = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "example": "2026-11-23T09:30:00.125Z"}),
]


def word(*words: str) -> Any:
    """Text that is one of these words; the database checks it, so no body checks it again."""
    return WithJsonSchema({"type": "string", "enum": list(words)})


def Id(prefix: str) -> Any:  # noqa: N802 - reads as a type
    """An id with this prefix, described as such."""
    return Field(description=f"`{prefix}_` and a ULID.", pattern=f"^{prefix}_{ULID_PATTERN}$")


class Body(BaseModel):
    """A representation. Built from rows that the database has already checked."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return self.model_dump(mode="json", by_alias=True)


def encode(body: Any) -> bytes:
    """Compact JSON: the bytes that REST answers for a body. ETags are made from them."""
    return orjson.dumps(body)


def etag(body: bytes) -> str:
    """The strong validator (RFC 9110 section 8.8.3) of a representation's bytes."""
    return f'"{blake2b(body, digest_size=16).hexdigest()}"'


class Money(Body):
    """An amount of money: a decimal as text, and an ISO 4217 currency."""

    amount: str = Field(description="A decimal with the currency's decimals.", examples=["29.00"])
    currency: str = Field(description="Three letters, ISO 4217.", examples=["EUR"])

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> "Money":
        """From what a row holds."""
        return cls.model_construct(amount=str(amount), currency=currency)
