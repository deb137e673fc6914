"""The ledger of deliveries. Kept by day; whole days are dropped, rows never."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Sequence, Text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlmodel import Field

from db.tables.base import Table, datetime, json, log_id, moment, one_of, optional_text, text

DELIVERY_POSITION = Sequence("delivery_position", metadata=Table.metadata)
DISPATCH_TICK = Sequence("dispatch_tick", metadata=Table.metadata)


class Delivery(Table, table=True):
    """One event on its way to one endpoint.

    `waiting`: due at `due_at`. `leased`: in the hands of worker `leased_by`. `queued`: to be sent as soon as
    its endpoint takes more (it is busy, failing or paused). `blocked`: an earlier event of its resource is not through.
    `delivered`, `failed`, `cancelled`: done.
    `retries` counts the attempts since it was last asked for; `attempts` counts all.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        one_of("status", "waiting", "leased", "queued", "blocked", "delivered", "failed", "cancelled"),
        one_of("cause", "event", "replay", "test"),
        Index("ix_deliveries_due", "due_at", postgresql_where="status = 'waiting'"),
        Index("ix_deliveries_queued", "endpoint_id", "position", postgresql_where="status = 'queued'"),
        Index("ix_deliveries_leased", "leased_by", postgresql_where="status = 'leased'"),
        Index("ix_deliveries_endpoint_id_id", "endpoint_id", "id"),
        Index(
            "ix_deliveries_lane", "endpoint_id", "resource_id", "position",
            postgresql_where="ordered and finished_at is null",
        ),
        {"postgresql_partition_by": "RANGE (id)"},
    )  # fmt: skip
    id: str = log_id("dlv")
    position: int = Field(
        default=None,
        sa_column=Column(BigInteger, DELIVERY_POSITION, server_default=DELIVERY_POSITION.next_value(), nullable=False),
    )
    event_id: str = Field(sa_column=Column(Text(collation="C"), nullable=False))
    endpoint_id: str = text()
    type: str = text()
    resource_id: str = text()
    resource_sequence: int = Field(sa_column=Column(Integer, nullable=False))
    cause: str = text("event")
    ordered: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default="false"))
    status: str = text("waiting")
    attempts: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    retries: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    due_at: datetime | None = moment(nullable=True)
    leased_by: str | None = optional_text()
    last_status: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    last_error: str | None = optional_text()
    created_at: datetime = moment()
    finished_at: datetime | None = moment(nullable=True)


class DeliveryAttempt(Table, table=True):
    """One try: what was answered, or what went wrong. `response_body` is cut at 16 kB."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (
        one_of("outcome", "delivered", "refused", "timeout", "unreachable", "blocked_address", "gone"),
        {"postgresql_partition_by": "RANGE (delivery_id)"},
    )
    delivery_id: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    url: str = text()
    outcome: str = text()
    status: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    error: str | None = optional_text()
    started_at: datetime = moment()
    duration_ms: int = Field(sa_column=Column(Integer, nullable=False))
    request_headers: dict[str, Any] = json()
    response_headers: dict[str, Any] = json()
    response_body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class DeliveryWorker(Table, table=True):
    """A running worker. What it has leased falls to others once `seen_at` is older than the lease.

    `totals` is what it has counted since it started.
    """

    __tablename__ = "delivery_workers"
    id: str = Field(sa_column=Column(Text, primary_key=True))
    host: str = text()
    started_at: datetime = moment()
    seen_at: datetime = moment()
    totals: dict[str, Any] = json()


class DispatchTick(Table, table=True):
    """How far events have been turned into deliveries: everything visible to snapshot `low` has been; of what only
    `high` sees, everything up to sequence `after` has been. The newest row counts.

    `users`: whose logs grew; None: whoever's."""

    __tablename__ = "dispatch_ticks"
    __table_args__ = ({"postgresql_partition_by": "RANGE (at)"},)
    id: int = Field(
        default=None,
        sa_column=Column(BigInteger, DISPATCH_TICK, server_default=DISPATCH_TICK.next_value(), primary_key=True),
    )
    at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True, precision=3), primary_key=True))
    low: str = text()
    high: str = text()
    after: int = Field(sa_column=Column(BigInteger, nullable=False))
    users: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))
