"""Who takes part: organisations, their clients and credentials, and the users that own things."""

from sqlalchemy import Boolean, CheckConstraint, Column, Index, LargeBinary, Text
from sqlmodel import Field

from db.tables.base import Table, datetime, id_field, moment, one_of, optional_text, ref, strings, text

REGIONS = ("eu", "us")
TIERS = ("default", "burst", "internal")


class Organization(Table, table=True):
    """A partner company."""

    __tablename__ = "organizations"
    __table_args__ = (one_of("region", *REGIONS),)
    id: str = id_field("org")
    name: str = text()
    region: str = text("eu")
    created_at: datetime = moment()


class User(Table, table=True):
    """A creator, or the user as which an organisation's own client-credentials tokens act (`organization_id` set)."""

    __tablename__ = "users"
    __table_args__ = (
        one_of("region", *REGIONS),
        CheckConstraint("handle ~ '^@[a-z0-9_.-]{1,64}$'", name="handle"),
        Index("uq_users_email", "email", unique=True, postgresql_where="email is not null"),
        Index(
            "uq_users_organization_id", "organization_id", unique=True, postgresql_where="organization_id is not null"
        ),
    )
    id: str = id_field("usr")
    organization_id: str | None = ref("organizations.id", nullable=True)
    handle: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    display_name: str = text()
    email: str | None = optional_text()
    password_hash: str | None = optional_text()
    twin_active: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default="false"))
    region: str = text("eu")
    created_at: datetime = moment()
    updated_at: datetime = moment()


class Client(Table, table=True):
    """An application of an organisation that may ask for tokens."""

    __tablename__ = "clients"
    __table_args__ = (one_of("tier", *TIERS), one_of("status", "active", "suspended"))
    id: str = id_field("cli")
    organization_id: str = ref("organizations.id")
    name: str = text()
    scopes: list[str] = strings()
    redirect_uris: list[str] = strings()
    tier: str = text("default")
    status: str = text("active")
    created_at: datetime = moment()


class ClientSecret(Table, table=True):
    """A client's secret, of which only a keyed hash is kept. Several may be live while one replaces another."""

    __tablename__ = "client_secrets"
    __table_args__ = (Index("ix_client_secrets_client_id", "client_id"),)
    id: str = id_field("key")
    client_id: str = ref("clients.id")
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    hint: str = text()
    created_at: datetime = moment()
    expires_at: datetime | None = moment(nullable=True)
    last_used_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)


class ApiKey(Table, table=True):
    """A sandbox key that stands for its client without a token; only a keyed hash is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("ix_api_keys_client_id", "client_id"),)
    id: str = id_field("key")
    client_id: str = ref("clients.id")
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    hint: str = text()
    scopes: list[str] = strings()
    created_at: datetime = moment()
    expires_at: datetime | None = moment(nullable=True)
    last_used_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)


class SigningKey(Table, table=True):
    """An RS256 key pair. The newest signs; older ones verify until `verifies_until`."""

    __tablename__ = "signing_keys"
    kid: str = Field(sa_column=Column(Text, primary_key=True))
    private_pem: str = text()
    created_at: datetime = moment()
    verifies_until: datetime | None = moment(nullable=True)
