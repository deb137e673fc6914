"""What every table shares: naming of constraints, and the column kinds that occur again and again."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, MetaData, Numeric, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSON, TIMESTAMP
from sqlmodel import Field, SQLModel

from db.ids import ULID_PATTERN

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(SQLModel):
    """The root of every table class."""

    metadata = MetaData(naming_convention=NAMING)


def id_field(prefix: str) -> Any:
    """The primary key: an id of ours. The check lets SQL print ids as JSON without escaping them."""
    check = CheckConstraint(f"id ~ '^{prefix}_{ULID_PATTERN}$'", name="id")
    return Field(sa_column=Column("id", Text, check, primary_key=True))


def log_id(prefix: str) -> Any:
    """The primary key of a log that is kept by day. Its ULID carries the day: its order is that of its bytes."""
    check = CheckConstraint(f"id ~ '^{prefix}_{ULID_PATTERN}$'", name="id")
    return Field(sa_column=Column("id", Text(collation="C"), check, primary_key=True))


def ref(target: str, *, nullable: bool = False, primary_key: bool = False, ondelete: str = "CASCADE") -> Any:
    """A foreign key to `table.column`."""
    key = ForeignKey(target, ondelete=ondelete)
    column = Column(Text, key, nullable=nullable, primary_key=primary_key)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


def text(default: str | None = None) -> Any:
    """Text of any length that is never null."""
    column = Column(Text, nullable=False)
    return Field(sa_column=column) if default is None else Field(default=default, sa_column=column)


def optional_text() -> Any:
    """Text that may be absent."""
    return Field(default=None, sa_column=Column(Text, nullable=True))


def moment(*, nullable: bool = False) -> Any:
    """A `timestamptz` in UTC to the millisecond, which is what the outside sees."""
    column = Column(TIMESTAMP(timezone=True, precision=3), nullable=nullable)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


def amount(*, nullable: bool = False) -> Any:
    """A decimal amount of money, kept with the decimals of its currency: 29.00 EUR, 2900 JPY."""
    column = Column(Numeric, nullable=nullable)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


def json(default: str = "{}") -> Any:
    """JSON kept as the very text that was written: compact, keys in the sender's order, so it goes out as it is."""
    return Field(sa_column=Column(JSON, nullable=False, server_default=default))


def strings() -> Any:
    """A list of short strings."""
    return Field(sa_column=Column(ARRAY(Text), nullable=False, server_default="{}"))


def one_of(column: str, *values: str) -> CheckConstraint:
    """A column holds one of these words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({words})", name=column)


def currency_check(column: str) -> CheckConstraint:
    """A currency is three capital letters (ISO 4217)."""
    return CheckConstraint(f"{column} ~ '^[A-Z]{{3}}$'", name=column)


def not_negative(*columns: str) -> tuple[CheckConstraint, ...]:
    """Numbers that never fall below zero."""
    return tuple(CheckConstraint(f"{column} >= 0", name=f"{column}_not_negative") for column in columns)


__all__ = [
    "Decimal",
    "Table",
    "amount",
    "currency_check",
    "datetime",
    "id_field",
    "json",
    "log_id",
    "moment",
    "not_negative",
    "one_of",
    "optional_text",
    "ref",
    "strings",
    "text",
]
