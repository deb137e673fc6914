"""What of the API each client used, by day: kept for 30 days, dropped by whole days."""

from sqlalchemy import BigInteger, Column, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlmodel import Field

from db.tables.base import Table, datetime, moment, text


class ClientUse(Table, table=True):
    """How often a client used one coordinate on one day (`day` is its midnight, UTC), and the operation that did so last.

    There are at most as many rows a client and day as the API has coordinates.
    """

    __tablename__ = "client_uses"
    __table_args__ = ({"postgresql_partition_by": "RANGE (day)"},)
    client_id: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    coordinate: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    day: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True, precision=3), primary_key=True))
    count: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_used_at: datetime = moment()
    operation: str = text("")
