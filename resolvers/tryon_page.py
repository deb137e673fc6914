"""What the shopper's page shows, found by the token in its link."""

from asyncio import gather
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from auth.tryon import ForgedToken, TryonClaims, verify
from auth.viewer import Viewer
from db.relations import IN_STOCK, PRODUCT, PRODUCT_STOREFRONT, PRODUCT_VARIANTS
from db.rows import hydrate
from db.sessions import Database
from db.tables import Product, TryonSession, Variant
from resolvers.context import Context, new_context
from resolvers.platform import Platform

_OPEN = "update tryon_sessions set status = 'opened' where id = $1 and status = 'created'"


@dataclass(frozen=True)
class Shown:
    """A product as the shopper sees it: the variants that can be bought, the one that was asked for first."""

    origin: str
    expires_at: datetime
    product: Product
    storefront: str
    variants: Sequence[Variant]


class Withdrawn(Exception):
    """The product is shown no longer."""

    def __init__(self, origin: str) -> None:
        super().__init__(origin)
        self.origin = origin


async def open_page(db: Database, platform: Platform, token: str, now: datetime, *, opens: bool = True) -> Shown:
    """The page of a link. ForgedToken, ExpiredToken, or Withdrawn. `opens` False looks without marking the session."""
    claims = verify(platform.secret, token, now)
    row = await _session(db, claims)
    shown = await _shown(db, platform, row)
    if opens and row.status == "created":
        async with db.pool.acquire() as connection:
            await connection.execute(_OPEN, row.id)
    return shown


async def _session(db: Database, claims: TryonClaims) -> TryonSession:
    rows = await db.fetch("select * from tryon_sessions where id = $1", [claims.session_id])
    if not rows:
        raise ForgedToken
    return hydrate(TryonSession, rows[0])


async def _shown(db: Database, platform: Platform, row: TryonSession) -> Shown:
    """Read as the session's owner would: what it may no longer see, its shopper does not see either."""
    viewer = Viewer(row.owner_id, row.client_id, "", frozenset({"storefronts:read"}))
    ctx = new_context(viewer, db, platform)
    product = await ctx.loaders.row(PRODUCT, row.product_id)
    if product is None or product.status == "archived":
        raise Withdrawn(row.origin)
    storefront, variants = await gather(
        ctx.loaders.one(PRODUCT_STOREFRONT, product.storefront_id), _buyable(ctx, product)
    )
    ordered = sorted(variants, key=lambda variant: variant.id != row.variant_id)
    return Shown(row.origin, row.expires_at, product, storefront.name if storefront else "", ordered)


async def _buyable(ctx: Context, product: Product) -> list[Variant]:
    variants = await ctx.loaders.all(PRODUCT_VARIANTS, product.id)
    stocked = await gather(*(ctx.loaders.aggregate(IN_STOCK, variant.id) for variant in variants))
    return [variant for variant, in_stock in zip(variants, stocked, strict=True) if in_stock]
