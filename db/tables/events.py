"""What happened, in order: the log that webhooks and feeds read."""

from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index, Integer
from sqlmodel import Field

from db.tables.base import Table, datetime, id_field, json, moment, strings, text


class Event(Table, table=True):
    """One fact, written in the transaction of the change it tells of. `audience` are the users it concerns."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_sequence", "sequence"),
        Index("ix_events_resource_id_resource_sequence", "resource_id", "resource_sequence", unique=True),
    )
    id: str = id_field("evt")
    sequence: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    type: str = text()
    version: str = text("1")
    occurred_at: datetime = moment()
    resource_id: str = text()
    resource_sequence: int = Field(sa_column=Column(Integer, nullable=False))
    audience: list[str] = strings()
    payload: dict[str, Any] = json()
