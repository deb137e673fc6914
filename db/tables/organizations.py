"""Who takes part: organisations, their clients and credentials, and the users that own things."""

from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Index, LargeBinary, Text
from sqlmodel import Field

from db.tables.base import Table, datetime, id_field, json, moment, one_of, optional_text, ref, strings, text

REGIONS = ("eu", "us")
TIERS = ("default", "burst", "internal")
ENVIRONMENTS = ("sandbox", "production")


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
    region: str = text("eu")
    created_at: datetime = moment()
    updated_at: datetime = moment()


class Client(Table, table=True):
    """An application of an organisation that may ask for tokens."""

    __tablename__ = "clients"
    __table_args__ = (
        one_of("tier", *TIERS),
        one_of("status", "active", "suspended"),
        one_of("auth_method", "secret", "private_key_jwt", "none"),
        one_of("environment", *ENVIRONMENTS),
        Index("ix_clients_organization_id", "organization_id", "id"),
    )
    id: str = id_field("cli")
    organization_id: str = ref("organizations.id")
    name: str = text()
    # Which deployments serve it; others refuse it.
    environment: str = text("sandbox")
    scopes: list[str] = strings()
    redirect_uris: list[str] = strings()
    tier: str = text("default")
    status: str = text("active")
    # How it proves who it is: secret, private_key_jwt (by `jwks`) or none (a public client).
    auth_method: str = Field(default="secret", sa_column=Column(Text, nullable=False, server_default="secret"))
    jwks: dict[str, Any] = json('{"keys": []}')
    dpop_bound: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default="false"))
    # Addresses and networks it may call from; empty: from anywhere.
    allowed_addresses: list[str] = strings()
    # Of a client that registered itself (RFC 7591): what it manages itself with.
    registration_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True, unique=True))
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
    allowed_addresses: list[str] = strings()
    created_at: datetime = moment()
    expires_at: datetime | None = moment(nullable=True)
    last_used_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)


class Member(Table, table=True):
    """A person of an organisation, and what that person may do for it."""

    __tablename__ = "members"
    __table_args__ = (one_of("role", "owner", "developer", "viewer"), Index("ix_members_user_id", "user_id"))
    organization_id: str = ref("organizations.id", primary_key=True)
    user_id: str = ref("users.id", primary_key=True)
    role: str = text("viewer")
    created_at: datetime = moment()


class Application(Table, table=True):
    """Somebody asks for access; the operator decides, and approval makes the organisation and its client."""

    __tablename__ = "applications"
    __table_args__ = (
        one_of("status", "pending", "approved", "rejected"),
        Index("ix_applications_status_id", "status", "id"),
    )
    id: str = id_field("app")
    organization_name: str = text()
    contact_email: str = text()
    use_case: str = text()
    expected_volume: str = text()
    timeline: str = text()
    status: str = text("pending")
    reason: str | None = optional_text()
    organization_id: str | None = ref("organizations.id", nullable=True)
    created_at: datetime = moment()
    decided_at: datetime | None = moment(nullable=True)


class SigningKey(Table, table=True):
    """An RS256 key pair. The newest signs; older ones verify until `verifies_until`."""

    __tablename__ = "signing_keys"
    kid: str = Field(sa_column=Column(Text, primary_key=True))
    private_pem: str = text()
    created_at: datetime = moment()
    verifies_until: datetime | None = moment(nullable=True)
