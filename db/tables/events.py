"""What happened, in order: the log that webhooks and feeds read. Kept by day; whole days are dropped, rows never."""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, Sequence, Text
from sqlalchemy import text as sql
from sqlmodel import Field

from db.tables.base import Table, datetime, json, log_id, moment, optional_text, strings, text

EVENT_SEQUENCE = Sequence("event_sequence", metadata=Table.metadata)
FEED_POSITION = Sequence("feed_position", metadata=Table.metadata)


class ResourceSequence(Table, table=True):
    """The number of a resource's newest event. Its row is locked until the change is committed: no gap, no swap."""

    __tablename__ = "resource_sequences"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)
    resource_id: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    last: int = Field(sa_column=Column(Integer, nullable=False))


class Event(Table, table=True):
    """One fact, written in the transaction of the change it tells of. `audience` are the users it concerns.

    `transaction` is the id of that transaction: what commits late is found by it, however low its `sequence`.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_transaction", "transaction"),
        {"postgresql_partition_by": "RANGE (id)"},
    )
    id: str = log_id("evt")
    sequence: int = Field(
        default=None,
        sa_column=Column(BigInteger, EVENT_SEQUENCE, server_default=EVENT_SEQUENCE.next_value(), nullable=False),
    )
    transaction: int = Field(
        default=None,
        sa_column=Column(BigInteger, nullable=False, server_default=sql("((pg_current_xact_id())::text)::bigint")),
    )
    type: str = text()
    version: str = text("1")
    occurred_at: datetime = moment()
    resource_id: str = text()
    resource_sequence: int = Field(sa_column=Column(Integer, nullable=False))
    storefront_id: str | None = optional_text()
    audience: list[str] = strings()
    payload: dict[str, Any] = json()


class FeedEntry(Table, table=True):
    """An event in the log of one user it concerns. Positions are given one batch after the other, in the order of
    commits, so a reader who goes by position misses nothing."""

    __tablename__ = "event_feed"
    __table_args__ = ({"postgresql_partition_by": "RANGE (event_id)"},)
    user_id: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    position: int = Field(
        default=None,
        sa_column=Column(BigInteger, FEED_POSITION, server_default=FEED_POSITION.next_value(), primary_key=True),
    )
    event_id: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    type: str = text()
    storefront_id: str | None = optional_text()
