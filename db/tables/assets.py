"""The design vault: assets, the collections they stand in, and what others were granted."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index
from sqlmodel import Field

from db.tables.base import Table, datetime, id_field, json, moment, not_negative, one_of, optional_text, ref, text
from db.tables.organizations import REGIONS


class Collection(Table, table=True):
    """A named set of an owner's assets."""

    __tablename__ = "collections"
    __table_args__ = (Index("ix_collections_owner_id_id", "owner_id", "id"),)
    id: str = id_field("col")
    owner_id: str = ref("users.id")
    title: str = text()
    created_at: datetime = moment()


class Asset(Table, table=True):
    """An uploaded file. It lies in the object store of `region` under `object_key`; `sha256` is of its bytes, in hex."""

    __tablename__ = "assets"
    __table_args__ = (
        one_of("status", "pending_review", "approved", "rejected", "published"),
        one_of("region", *REGIONS),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        *not_negative("size"),
        Index("ix_assets_owner_id_id", "owner_id", "id"),
    )
    id: str = id_field("ast")
    owner_id: str = ref("users.id")
    collection_id: str | None = ref("collections.id", nullable=True, ondelete="SET NULL")
    title: str = text()
    status: str = text("pending_review")
    review_reason: str | None = optional_text()
    content_type: str = text()
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    sha256: str = text()
    region: str = text()
    object_key: str = text()
    rights: dict[str, Any] = json()
    created_at: datetime = moment()
    updated_at: datetime = moment()
    published_at: datetime | None = moment(nullable=True)


class Grant(Table, table=True):
    """An owner lets another user read one asset, until it expires or is revoked."""

    __tablename__ = "grants"
    __table_args__ = (Index("uq_grants_asset_id_grantee_id", "asset_id", "grantee_id", unique=True),)
    id: str = id_field("grt")
    asset_id: str = ref("assets.id")
    grantee_id: str = ref("users.id")
    created_at: datetime = moment()
    expires_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)
