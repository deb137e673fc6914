"""Answers kept for a day, so that a repeated request gets the first answer and acts once."""

from typing import Any

from sqlalchemy import Column, Index, LargeBinary, Text
from sqlmodel import Field

from db.tables.base import Table, datetime, json, moment, ref, text


class IdempotencyKey(Table, table=True):
    """A key that a client sent with a write, what the write was, and what came of it. Written in the write's own transaction.

    The fingerprint is empty where what was written has been erased: a hash of few values tells them to who tries all.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)
    client_id: str = ref("clients.id", primary_key=True)
    key: str = Field(sa_column=Column(Text, primary_key=True))
    operation: str = text()
    fingerprint: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    outcome: dict[str, Any] = json()
    created_at: datetime = moment()
