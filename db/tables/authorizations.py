"""What creators let partners do: consents, the codes and tokens that came of them, and the browsers they sign in with."""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text
from sqlmodel import Field

from db.tables.base import Table, datetime, id_field, json, moment, optional_text, ref, strings, text


def key_hash() -> Any:
    """The keyed hash of a secret, as primary key."""
    return Field(sa_column=Column(LargeBinary, primary_key=True))


class Consent(Table, table=True):
    """What a creator last allowed a client, until it is withdrawn. `storefront_ids` null: every one, also those to come."""

    __tablename__ = "consents"
    __table_args__ = (
        Index(
            "uq_consents_user_id_client_id", "user_id", "client_id", unique=True, postgresql_where="revoked_at is null"
        ),
        Index("ix_consents_user_id_id", "user_id", "id"),
    )
    id: str = id_field("cns")
    user_id: str = ref("users.id")
    client_id: str = ref("clients.id")
    scopes: list[str] = strings()
    storefront_ids: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))
    created_at: datetime = moment()
    updated_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)


class Authorization(Table, table=True):
    """One answer of the authorization endpoint: its code, and the family of tokens that the code was exchanged for."""

    __tablename__ = "authorizations"
    __table_args__ = (
        Index("ix_authorizations_consent_id", "consent_id"),
        Index("ix_authorizations_client_id", "client_id"),
    )
    id: str = id_field("aut")
    consent_id: str = ref("consents.id")
    user_id: str = ref("users.id")
    client_id: str = ref("clients.id")
    scopes: list[str] = strings()
    storefront_ids: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))
    redirect_uri: str = text()
    code_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    code_challenge: str = text()
    # The DPoP key that the tokens are bound to (RFC 9449 section 10), where the client named one.
    thumbprint: str | None = optional_text()
    created_at: datetime = moment()
    code_expires_at: datetime = moment()
    code_used_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)


class RefreshToken(Table, table=True):
    """One generation of a family's refresh token. The next is derived from it, so that a lost answer can be given again."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index("uq_refresh_tokens_generation", "authorization_id", "generation", unique=True),)
    hash: bytes = key_hash()
    authorization_id: str = ref("authorizations.id")
    generation: int = Field(sa_column=Column(Integer, nullable=False))
    created_at: datetime = moment()
    expires_at: datetime = moment()
    replaced_at: datetime | None = moment(nullable=True)


class SignIn(Table, table=True):
    """A browser in which a creator is signed in."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index("ix_sign_ins_user_id", "user_id"),)
    hash: bytes = key_hash()
    user_id: str = ref("users.id")
    created_at: datetime = moment()
    expires_at: datetime = moment()


class Passkey(Table, table=True):
    """A creator's WebAuthn credential. `credential` is its attested data: AAGUID, id and public key in COSE."""

    __tablename__ = "passkeys"
    __table_args__ = (Index("ix_passkeys_user_id_id", "user_id", "id"),)
    id: str = id_field("pky")
    user_id: str = ref("users.id")
    credential_id: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    credential: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    # Of its uses, as it counts them itself; one that does not count says 0.
    counter: int = Field(sa_column=Column(BigInteger, nullable=False))
    name: str = text()
    created_at: datetime = moment()
    last_used_at: datetime | None = moment(nullable=True)


class PushedRequest(Table, table=True):
    """An authorization request that its client sent ahead (RFC 9126)."""

    __tablename__ = "pushed_requests"
    hash: bytes = key_hash()
    client_id: str = ref("clients.id")
    parameters: dict[str, Any] = json()
    expires_at: datetime = moment()


class UsedAssertion(Table, table=True):
    """A client assertion that was taken once and is not taken again (RFC 7523 section 3)."""

    __tablename__ = "used_assertions"
    __table_args__ = (Index("ix_used_assertions_expires_at", "expires_at"),)
    hash: bytes = key_hash()
    expires_at: datetime = moment()
