"""What was revoked before it expired."""

from sqlalchemy import Column, Index, Text
from sqlmodel import Field

from db.tables.base import Table, datetime, moment, one_of


class Revocation(Table, table=True):
    """Tokens that are void before their time, kept until the last of them would have expired anyway.

    `kind` says what `subject` is: `token` a jti, `family` all that one consent or code gave, `client` all that a client got
    before `revoked_at`, `key` an API key, `keys` a change of the signing keys (processes load them anew),
    `changed` a client that is to be looked at anew: this alone voids nothing.
    """

    __tablename__ = "revocations"
    __table_args__ = (
        one_of("kind", "token", "family", "client", "key", "keys", "changed"),
        Index("ix_revocations_revoked_at", "revoked_at"),
        Index("ix_revocations_expires_at", "expires_at"),
    )
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    subject: str = Field(sa_column=Column(Text, primary_key=True))
    revoked_at: datetime = moment()
    expires_at: datetime = moment()
