"""Try-on sessions: opened by a partner's backend for one shopper and one product."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlmodel import select

from auth.tryon import TryonClaims, sign
from db.bodies.tryon import TryonSessionBody
from db.ids import new_id
from db.relations import TRYON_SESSION
from db.sessions import WriteSession
from db.tables import Product, TryonApproval, TryonSession, Variant
from resolvers.context import Context
from resolvers.errors import Fault, Forbidden, Invalid
from resolvers.platform import Platform
from resolvers.reads import get
from resolvers.tryon_inputs import TryonSessionInput, is_loopback
from resolvers.writes import Written, write
from webhooks.outbox import emit

# What everyone may do in the sandbox; for the rest an operator's word is needed.
OPEN_USE_CASES = frozenset({"product_page"})


async def get_session(ctx: Context, *, id: str) -> TryonSession:  # noqa: A002
    """A session of the viewer's own."""
    ctx.require_read("tryon:write")
    return await get(ctx, TRYON_SESSION, id)


async def create_session(ctx: Context, *, given: TryonSessionInput) -> Written:
    """A new session with its link. The link is made from the session each time, so it is stored nowhere."""
    ctx.require("tryon:write")
    _check_origin(ctx.platform, given.origin)
    written = await write(ctx, "tryon.session.create", given.sent, partial(_create, ctx, given))
    return replace(written, body=_with_link(ctx.platform, written.body))


def _check_origin(platform: Platform, origin: str) -> None:
    if origin.startswith("https://") or (platform.environment == "sandbox" and is_loopback(origin)):
        return
    message = "must start with https://; http:// is for this machine alone (http://localhost:3000), in the sandbox"
    raise Invalid(Fault("/origin", message))


async def _create(ctx: Context, given: TryonSessionInput, session: WriteSession) -> Written:
    product = await _product(ctx, session, given)
    await _check_use_case(ctx, session, given.use_case)
    now = ctx.clock()
    row = TryonSession(
        id=new_id("tos"), owner_id=ctx.viewer.user_id, client_id=ctx.viewer.client_id, product_id=product.id,
        variant_id=given.variant_id, use_case=given.use_case, origin=given.origin, subject=given.subject,
        consent_at=now, created_at=now,
        expires_at=(now + timedelta(seconds=given.ttl_seconds)).replace(microsecond=0),
    )  # fmt: skip
    session.add(row)
    await session.flush()
    body = TryonSessionBody.of(row).as_json()
    await _announce(session, row, product, body)
    return Written(body, created=True)


async def _product(ctx: Context, session: WriteSession, given: TryonSessionInput) -> Product:
    """The product that is meant, where the viewer may see it; the variant must be one of its own."""
    row = await session.get(Product, given.product_id)
    seen = row is not None and (
        row.reach >= 1 or ctx.viewer.may_write_storefront(row.storefront_id, row.owner_id) or ctx.viewer.sight.reads_all
    )
    if row is None or not seen:
        message = f"there is no product {given.product_id} that you can see"
        raise Invalid(Fault("/product_id", message, "not_found"))
    if given.variant_id is not None:
        variant = await session.get(Variant, given.variant_id)
        if variant is None or variant.product_id != row.id or variant.archived_at is not None:
            message = f"there is no variant {given.variant_id} of this product"
            raise Invalid(Fault("/variant_id", message, "not_found"))
    return row


async def _check_use_case(ctx: Context, session: WriteSession, use_case: str) -> None:
    if ctx.platform.environment == "sandbox" and use_case in OPEN_USE_CASES:
        return
    query = select(TryonApproval).where(
        TryonApproval.organization_id == ctx.viewer.organization_id, TryonApproval.use_case == use_case
    )
    if (await session.exec(query)).first() is None:
        message = f"Your organisation is not approved for the use case {use_case}; ask us to approve it."
        raise Forbidden(message, code="use_case_not_approved")


async def _announce(session: WriteSession, row: TryonSession, product: Product, body: dict[str, Any]) -> None:
    """Tells the partner and the product's owner. The partner's name for its shopper is the partner's alone."""
    await emit(
        session, type="tryon.session.created", resource_id=row.id, audience={row.owner_id, product.owner_id},
        payload={**body, "subject": None}, occurred_at=row.created_at, storefront_id=product.storefront_id,
    )  # fmt: skip


def _with_link(platform: Platform, body: dict[str, Any]) -> dict[str, Any]:
    claims = TryonClaims(body["id"], body["origin"], datetime.fromisoformat(body["expires_at"]))
    token = sign(platform.secret, claims)
    return {**body, "token": token, "url": f"{platform.public_url}/tryon/{token}"}
