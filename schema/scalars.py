"""Scalars beyond GraphQL's own, printed exactly as REST prints them."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NewType

import strawberry
from graphql import GraphQLError

from db.cursors import rfc3339

_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,20})?")
Currency = NewType("Currency", str)
JSON = strawberry.scalars.JSON


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise GraphQLError("A DateTime is text such as 2026-11-23T09:30:00Z, with its time zone.")


def _decimal(value: Any) -> Decimal:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30:
        return Decimal(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise GraphQLError('A Decimal is text such as "29.00".')


SCALARS: dict[object, Any] = {
    datetime: strawberry.scalar(
        name="DateTime", serialize=rfc3339, parse_value=_moment,
        description="A time in UTC, RFC 3339, to the millisecond: 2026-11-23T09:30:00.125Z.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    ),
    Decimal: strawberry.scalar(
        name="Decimal", serialize=str, parse_value=_decimal, description='A decimal number as text: "29.00".'
    ),
    Currency: strawberry.scalar(
        name="Currency", serialize=str, parse_value=str, description="A currency, three letters of ISO 4217: EUR.",
        specified_by_url="https://www.iso.org/iso-4217-currency-codes.html",
    ),
}  # fmt: skip
