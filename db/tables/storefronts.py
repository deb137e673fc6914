"""Storefronts: a creator's shop, its settings, and how far it can be seen."""

from typing import Any

from sqlalchemy import CheckConstraint, Column, Computed, Index, SmallInteger, Text
from sqlmodel import Field

from db.tables.base import Table, currency_check, datetime, id_field, json, moment, one_of, ref, text

# How far a row can be seen: 2 in every list, 1 by whoever has its id, 0 by its owner alone.
REACH = (
    "case when status = 'active' then case visibility when 'public' then 2 when 'unlisted' then 1 else 0 end else 0 end"
)


class Storefront(Table, table=True):
    """A creator's shop."""

    __tablename__ = "storefronts"
    __table_args__ = (
        one_of("status", "draft", "active", "paused"),
        one_of("visibility", "public", "unlisted", "hidden"),
        currency_check("currency"),
        CheckConstraint("handle ~ '^@[a-z0-9_.-]{1,64}$'", name="handle"),
        Index("ix_storefronts_owner_id_id", "owner_id", "id"),
        Index("ix_storefronts_listed", "id", postgresql_where="reach = 2"),
        Index("ix_storefronts_updated_at_id", "updated_at", "id"),
    )
    id: str = id_field("sf")
    owner_id: str = ref("users.id")
    handle: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    name: str = text()
    description: str = text("")
    status: str = text("draft")
    currency: str = text("EUR")
    locale: str = text("en")
    visibility: str = text("public")
    extra: dict[str, Any] = json()
    reach: int = Field(default=None, sa_column=Column(SmallInteger, Computed(REACH, persisted=True), nullable=False))
    created_at: datetime = moment()
    updated_at: datetime = moment()
