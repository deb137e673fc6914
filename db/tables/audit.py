"""What was done that bears on security, in a chain of hashes: what was written cannot be changed or dropped unseen."""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary
from sqlmodel import Field

from db.tables.base import Table, datetime, id_field, json, moment, ref, text


class AuditEntry(Table, table=True):
    """One act. `hash` covers the entry and the hash of the one before it in the same organisation; the first has zeros before it."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("uq_audit_entries_organization_id_number", "organization_id", "number", unique=True),)
    id: str = id_field("aud")
    organization_id: str = ref("organizations.id")
    number: int = Field(sa_column=Column(BigInteger, nullable=False))
    at: datetime = moment()
    actor: str = text()
    action: str = text()
    subject: str = text()
    details: dict[str, Any] = json()
    previous_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
