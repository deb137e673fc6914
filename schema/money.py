"""GraphQL: money."""

from decimal import Decimal
from typing import Any

import strawberry

from schema.fields import embedded
from schema.scalars import Currency


@strawberry.type(description="An amount of money: a decimal, never a float.")
class Money:
    """Two columns of a row."""

    amount: Decimal
    currency: Currency


@strawberry.input(description="An amount of money.")
class MoneyInput:
    """The amount has no more decimals than its currency."""

    amount: Decimal
    currency: Currency


def money(prefix: str, *, currency: str = "", **told: Any) -> Any:
    """Money kept in the columns `{prefix}_amount` and `{prefix}_currency` (or `currency`)."""
    columns = {"amount": f"{prefix}_amount", "currency": currency or f"{prefix}_currency"}
    return embedded(Money, columns=columns, **told)
