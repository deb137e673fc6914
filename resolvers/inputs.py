"""The kinds of value that inputs are made of, and how an input is read: every fault named at once."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import Annotated, Any, Final, TypeVar, get_args

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from db.ids import ULID_PATTERN, a_noun, is_id
from db.money import DECIMALS, LARGEST, settle
from resolvers.errors import Fault, Invalid

ABSENT: Any = None  # a field's default where leaving it out is fine but null is not
_METADATA_BYTES, _METADATA_DEPTH = 16_384, 8


class Input(BaseModel):
    """What a caller sends: exact types, no unknown fields. `sent` tells which fields were there."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def without_nulls(cls, value: Any, info: ValidationInfo) -> Any:
        """Where the surface says so, null is the same as left out, unless the field itself knows null."""
        if not info.context or not isinstance(value, dict):
            return value
        kept = {name for name, told in cls.model_fields.items() if type(None) in get_args(told.annotation)}
        return {name: item for name, item in value.items() if item is not None or name in kept}

    @classmethod
    def lacking(cls, given: dict[str, Any]) -> tuple[str, ...]:
        """Fields that are missing from what was sent, where one being required depends on another."""
        del given
        return ()

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


def _line(longest: int) -> Any:
    told: dict[str, Any] = {"pattern": r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$"}
    return Field(min_length=1, max_length=longest, json_schema_extra=told)


def _prose(longest: int) -> Any:
    return Field(max_length=longest, json_schema_extra={"pattern": r"^[^\x00]*$"})


Line = Annotated[str, _line(300), AfterValidator(_plain)]
ShortLine = Annotated[str, _line(100), AfterValidator(_plain)]
Sku = Annotated[str, _line(128), AfterValidator(_plain)]
Prose = Annotated[str, _prose(20_000), AfterValidator(_printable)]
ShortProse = Annotated[str, _prose(1000), AfterValidator(_printable)]


def IdOf(prefix: str) -> Any:  # noqa: N802 - reads as a type
    """An id with this prefix."""

    def check(value: str) -> str:
        if not is_id(prefix, value):
            raise ValueError(f"must be the id of {a_noun(prefix)}: {prefix}_ and a ULID")
        return value

    schema = {"type": "string", "pattern": f"^{prefix}_{ULID_PATTERN}$"}
    return Annotated[str, AfterValidator(check), WithJsonSchema(schema)]


def _handle(value: str) -> str:
    handle = value.lower()
    return handle if handle.startswith("@") else f"@{handle}"


Handle = Annotated[str, Field(pattern=r"^@?[A-Za-z0-9_.-]{1,64}$", examples=["@yourbrand"]), AfterValidator(_handle)]


# What is described is narrower than what is taken, which is any host: addresses of four numbers, names beyond ASCII.
HOST: Final = r"([A-Za-z0-9]([A-Za-z0-9-]{0,50}[A-Za-z0-9])?\.){1,3}[A-Za-z]{2,20}"
_WEB_ADDRESS: Final = TypeAdapter(HttpUrl)


def _web_address(value: str) -> str:
    try:
        if not any(char.isspace() or ord(char) < 32 for char in value):
            _WEB_ADDRESS.validate_python(value)
            return value
    except ValidationError:
        pass
    raise ValueError("must be a web address that starts with https:// or http://, such as https://example.com/coat.jpg")


WebAddress = Annotated[
    str,
    Field(
        max_length=2048,
        examples=["https://example.com/coat.jpg"],
        json_schema_extra={"pattern": rf"^https?://{HOST}(/[A-Za-z0-9._~/-]*)?$"},
    ),
    AfterValidator(_web_address),
]


def _currency(value: str) -> str:
    if value not in DECIMALS:
        raise ValueError("must be an ISO 4217 currency such as EUR")
    return value


Currency = Annotated[
    str, AfterValidator(_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$", "example": "EUR"})
]


_AMOUNT: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")


def _decimal(value: Any) -> Any:
    text = f"{value:f}" if isinstance(value, Decimal) and value.is_finite() else value
    if not isinstance(text, str):
        raise ValueError('must be a decimal written as text, such as "29.00"')
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f'must be a decimal between 0 and {LARGEST}, with at most 6 decimals, such as "29.00"')
    return Decimal(text)


Amount = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,9}(\.\d{1,6})?$", "example": "29.00"}),
]


def _money_schema(schema: dict[str, Any]) -> None:
    """Says for each number of decimals which currencies have it."""
    schema["oneOf"] = [
        {"type": "object", "properties": {"currency": {"enum": currencies}, "amount": {"pattern": _amount_of(places)}}}
        for places in sorted(set(DECIMALS.values()))
        for currencies in [[name for name, decimals in DECIMALS.items() if decimals == places]]
    ]


def _amount_of(places: int) -> str:
    decimals = rf"[0-9]{{1,{places}}}0{{0,{6 - places}}}" if places else "0{1,6}"
    return rf"^[0-9]{{1,9}}(\.{decimals})?$"


class MoneyInput(Input):
    """An amount of money. The amount is text, with no more decimals than its currency has."""

    model_config = ConfigDict(json_schema_extra=_money_schema)

    currency: Currency
    amount: Amount

    @field_validator("amount")
    @classmethod
    def settled(cls, amount: Decimal, info: ValidationInfo) -> Decimal:
        """The amount with its currency's decimals; a wrong currency has a fault of its own."""
        currency = info.data.get("currency")
        return settle(amount, currency) if currency else amount


def _check_part(value: Any, depth: int) -> None:
    """Refuses what JSON kept as text would change, or a reader would choke on."""
    if isinstance(value, str):
        _printable(value)
    elif isinstance(value, float) and not isfinite(value):
        raise ValueError("must not contain a number beyond the largest double")
    elif isinstance(value, dict | list):
        if depth == 0:
            raise ValueError(f"must not be nested deeper than {_METADATA_DEPTH}")
        for part in (*value, *value.values()) if isinstance(value, dict) else value:
            _check_part(part, depth - 1)


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    _check_part(value, _METADATA_DEPTH)
    try:
        text = orjson.dumps(value)
    except TypeError:
        raise ValueError("must not contain a whole number beyond 64 bits") from None
    if len(text) > _METADATA_BYTES:
        raise ValueError(f"must not be larger than {_METADATA_BYTES} bytes of JSON")
    return value


Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]


_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def read_moment(value: Any) -> datetime:
    """A time of RFC 3339 in UTC; ValueError says what is wrong with it."""
    try:
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC)
        if isinstance(value, str) and _RFC3339.fullmatch(value.upper()):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("must be a time with its zone, such as 2026-11-23T09:30:00Z (RFC 3339)")


MomentInput = Annotated[
    datetime, BeforeValidator(read_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]

M = TypeVar("M", bound=BaseModel)


def read(model: type[M], value: Any, *, under: str = "", nulls_are_absent: bool = False) -> M:
    """The value as this input, or `Invalid` with every fault's JSON pointer below `under`."""
    lacking = model.lacking(value) if issubclass(model, Input) and isinstance(value, dict) else ()
    faults = [Fault(f"{under}/{name}", "is required", "missing") for name in lacking]
    try:
        found = model.model_validate(value, context=nulls_are_absent)
    except ValidationError as error:
        raise Invalid(*faults, *(_fault(detail, under) for detail in error.errors(include_url=False))) from None
    if faults:
        raise Invalid(*faults)
    return found


# What pydantic found, in the words of somebody who knows no pydantic.
_MESSAGES: Final = {
    "missing": "is required",
    "extra_forbidden": "is not a field that is known here",
    "literal_error": "must be {expected}",
    "string_type": "must be text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must have the form {pattern}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} items",
}


def _fault(detail: ErrorDetails, under: str) -> Fault:
    parts = [str(part) for part in detail["loc"] if part != "[key]"]
    place = "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts)
    told = _MESSAGES.get(detail["type"])
    message = told.format(**detail.get("ctx", {})) if told else detail["msg"].removeprefix("Value error, ")
    return Fault(f"{under}{place}"[:300], message, detail["type"])
