"""What was done that bears on security, in a chain of hashes: what was written cannot be changed or dropped unseen."""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary
from sqlmodel import Field

from db.tables.base import Table, datetime, id_field, json, moment, text


class AuditEntry(Table, table=True):
    """One act. `hash` covers the entry and the hash of the one before it in the same chain; the first has zeros before it.

    `chain` is whose log it is: an organisation, a creator, or `platform`. No foreign key: a log outlives what it tells of.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (Index("uq_audit_entries_chain_number", "chain", "number", unique=True),)
    id: str = id_field("aud")
    chain: str = text()
    number: int = Field(sa_column=Column(BigInteger, nullable=False))
    at: datetime = moment()
    actor: str = text()
    action: str = text()
    subject: str = text()
    details: dict[str, Any] = json()
    previous_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
