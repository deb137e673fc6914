"""The kinds of value that inputs are made of, and how an input is read: every fault named at once."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import ErrorDetails

from db.ids import PREFIXES, ULID_PATTERN, is_id
from db.money import DECIMALS, LARGEST, settle
from resolvers.errors import Fault, Invalid

ABSENT: Any = None  # a field's default where leaving it out is fine but null is not
_METADATA_BYTES, _METADATA_DEPTH = 16_384, 8


class Input(BaseModel):
    """What a caller sends: exact types, no unknown fields. `sent` tells which fields were there."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @property
    def sent(self) -> dict[str, Any]:
        """The fields that the caller sent, as JSON values: what an idempotency key is held to."""
        return self.model_dump(mode="json", exclude_unset=True)


def exactly_one(*names: str) -> ConfigDict:
    """The configuration of an input that has exactly one of these fields, as its description says; a resolver checks it."""
    return ConfigDict(json_schema_extra={"oneOf": [{"required": [name]} for name in names]})


def _printable(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain a NUL character")
    return value


def _plain(value: str) -> str:
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ValueError("must not contain control characters")
    if value != value.strip():
        raise ValueError("must not start or end with white space")
    return value


Line = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_plain)]
ShortLine = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_plain)]
Sku = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_plain)]
Prose = Annotated[str, Field(max_length=20_000), AfterValidator(_printable)]


def IdOf(prefix: str) -> Any:  # noqa: N802 - reads as a type
    """An id with this prefix."""

    def check(value: str) -> str:
        if not is_id(prefix, value):
            raise ValueError(f"must be the id of a {PREFIXES[prefix].replace('_', ' ')}: {prefix}_ and a ULID")
        return value

    schema = {"type": "string", "pattern": f"^{prefix}_{ULID_PATTERN}$"}
    return Annotated[str, AfterValidator(check), WithJsonSchema(schema)]


def _handle(value: str) -> str:
    handle = value.lower()
    return handle if handle.startswith("@") else f"@{handle}"


Handle = Annotated[str, Field(pattern=r"^@?[A-Za-z0-9_.-]{1,64}$", examples=["@yourbrand"]), AfterValidator(_handle)]


def _web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")) or any(char.isspace() or ord(char) < 32 for char in value):
        raise ValueError("must be a web address that starts with https:// or http://")
    return value


WebAddress = Annotated[
    str, Field(max_length=2048, examples=["https://example.com/coat.jpg"]), AfterValidator(_web_address)
]


def _currency(value: str) -> str:
    if value not in DECIMALS:
        raise ValueError("must be an ISO 4217 currency such as EUR")
    return value


Currency = Annotated[
    str, AfterValidator(_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$", "example": "EUR"})
]


def _decimal(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError('must be a decimal written as text, such as "29.00"')
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError('must be a decimal written as text, such as "29.00"') from None
    if not number.is_finite() or not 0 <= number <= LARGEST or number.as_tuple().exponent < -6:  # type: ignore[operator]
        raise ValueError(f"must be between 0 and {LARGEST}, with at most 6 decimals")
    return number


Amount = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,9}(\.\d{1,6})?$", "example": "29.00"}),
]


class MoneyInput(Input):
    """An amount of money. The amount is text, with no more decimals than its currency has."""

    currency: Currency
    amount: Amount

    @field_validator("amount")
    @classmethod
    def settled(cls, amount: Decimal, info: ValidationInfo) -> Decimal:
        """The amount with its currency's decimals; a wrong currency has a fault of its own."""
        currency = info.data.get("currency")
        return settle(amount, currency) if currency else amount


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    if _depth(value) > _METADATA_DEPTH:
        raise ValueError(f"must not be nested deeper than {_METADATA_DEPTH}")
    text = orjson.dumps(value)
    if len(text) > _METADATA_BYTES:
        raise ValueError(f"must not be larger than {_METADATA_BYTES} bytes of JSON")
    if b"\\u0000" in text:
        raise ValueError("must not contain a NUL character")
    return value


Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]


def read_moment(value: Any) -> datetime:
    """A time of RFC 3339 in UTC; ValueError says what is wrong with it."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("must be a time such as 2026-11-23T09:30:00Z (RFC 3339)") from None
    else:
        raise ValueError("must be a time such as 2026-11-23T09:30:00Z (RFC 3339)")
    if moment.tzinfo is None:
        raise ValueError("must name its time zone, such as a Z at the end (RFC 3339)")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999") from None


MomentInput = Annotated[
    datetime, BeforeValidator(read_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]

M = TypeVar("M", bound=BaseModel)


def read(model: type[M], value: Any, *, under: str = "") -> M:
    """The value as this input, or `Invalid` with every fault's JSON pointer below `under`."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Invalid(*(_fault(detail, under) for detail in error.errors(include_url=False))) from None


def _fault(detail: ErrorDetails, under: str) -> Fault:
    place = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in detail["loc"])
    message = detail["msg"].removeprefix("Value error, ")
    context: Mapping[str, Any] = detail.get("ctx", {})
    if detail["type"] == "missing":
        message = "is required"
    elif detail["type"] == "extra_forbidden":
        message = "is not a field that is known here"
    elif detail["type"] == "literal_error":
        message = f"must be {context['expected']}"
    return Fault(f"{under}{place}"[:300], message, detail["type"])
