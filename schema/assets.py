"""GraphQL: the design vault. Uploads stay with REST, whose forms carry files."""

from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from strawberry import UNSET, Info

from db import tables
from db.relations import ASSET, ASSET_OWNER
from resolvers import assets
from resolvers.context import Context
from resolvers.writes import Written
from schema.fields import relation
from schema.mutations import UserError, run
from schema.node import Node, shows
from schema.users import User
from vault.rights import moment_of


@strawberry.enum(name="AssetStatus", description="How far an asset has come.")
class AssetStatus(Enum):
    """Kept in lower case, shown in upper case."""

    PENDING_REVIEW = "pending_review"
    APPROVED = "approved"
    REJECTED = "rejected"
    PUBLISHED = "published"


@strawberry.type(description="What the owner of an asset lets others do with it.")
class AssetRights:
    """Made from the asset's JSON column."""

    license: str
    territories: list[str] = strawberry.field(description="ISO 3166-1, two letters; empty: everywhere.")
    embargo_until: datetime | None
    expires_at: datetime | None
    ai_training: bool


def _rights(root: Any) -> AssetRights:
    moments = {name: moment_of(root.rights, name) for name in ("embargo_until", "expires_at")}
    return AssetRights(**{**root.rights, **moments})


@strawberry.type(description="A file in the design vault. Its bytes are at REST's /v1/assets/{id}/download.")
class Asset(Node):
    """Resolves from a row of `assets`."""

    is_type_of = shows(tables.Asset)
    title: str
    status: AssetStatus
    review_reason: str | None = strawberry.field(description="What the reviewer said, where anything was said.")
    content_type: str = strawberry.field(description="By the file's own bytes.")
    size: int = strawberry.field(description="In bytes.")
    sha256: str = strawberry.field(description="Of its bytes, in hex.")
    region: str
    owner: User = relation(ASSET_OWNER)
    collection_id: strawberry.ID | None
    rights: AssetRights = strawberry.field(resolver=_rights)
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None


@strawberry.input(description="Which assets.")
class AssetFilter:
    """What is left out does not narrow the list."""

    status: AssetStatus | None = UNSET
    collection_id: strawberry.ID | None = UNSET


@strawberry.input(description="The asset to publish.")
class AssetPublishInput:
    """`id` says which."""

    id: strawberry.ID


@strawberry.type(description="The asset as it stands after the write, or what was wrong.")
class AssetPayload:
    """`asset` is null where there are user errors."""

    asset: Asset | None
    user_errors: list[UserError]


@strawberry.type
class AssetMutations:
    """Mirrors REST's writes."""

    @strawberry.mutation(description="Publish an approved asset of your own to those who were granted it.")
    async def asset_publish(self, info: Info, input: AssetPublishInput) -> AssetPayload:  # noqa: A002
        """`POST /v1/assets/{id}/publish`."""

        async def act(ctx: Context) -> Written:
            return await assets.publish_asset(ctx, id=input.id)

        return await run(info, AssetPayload, "asset", ASSET, act)
