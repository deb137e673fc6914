"""Webhook endpoints: registering, reading, changing, removing them, and their keys."""

from asyncio import gather
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field
from sqlmodel import col, func, select

from db.bodies.webhooks import KeySetBody, PublicJwkBody, ShownSecretBody, WebhookBody, WebhookSecretBody
from db.cursors import rfc3339
from db.ids import is_id, new_id
from db.relations import WEBHOOK
from db.sessions import WriteSession
from db.tables import Storefront, WebhookEndpoint, WebhookNotice, WebhookSecret
from resolvers.acts import note_act
from resolvers.context import Context
from resolvers.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from resolvers.inputs import ABSENT, HOST, IdOf, Input
from resolvers.reads import check_id, get
from resolvers.storefronts import check_unchanged
from resolvers.writes import Written, write
from webhooks.addresses import RefusedAddress
from webhooks.events import CATALOGUE, OPERATIONAL
from webhooks.redelivery import wake
from webhooks.registry import TooManySecrets, add_key, live_keys, rotate
from webhooks.signing import Seal, public_jwk, public_text, secret_text

SCOPE: Final = "webhooks:manage"
MOST_ENDPOINTS: Final = 1_000
_NAMES: Final = (*CATALOGUE, *OPERATIONAL)
_DAY: Final = 86_400


def _known(name: str) -> str:
    if name not in _NAMES:
        raise ValueError(f"is no event type; there are {', '.join(_NAMES)}")
    return name


def _once(names: list[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise ValueError("must not name one thing twice")
    return names


def _clean(text: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("must not contain control characters")
    return text


EventName = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(_NAMES)})]
Events = Annotated[
    list[EventName],
    Field(min_length=1, max_length=len(_NAMES), json_schema_extra={"uniqueItems": True}),
    AfterValidator(_once),
]
_DESCRIBED: dict[str, Any] = {"pattern": rf"^https://{HOST}(/[A-Za-z0-9._~/-]*)?$"}
Url = Annotated[
    str, Field(min_length=1, max_length=2048, examples=["https://example.com/hooks"], json_schema_extra=_DESCRIBED)
]
StorefrontId = IdOf("sf")
Storefronts = Annotated[
    list[StorefrontId],  # type: ignore[valid-type]
    Field(max_length=100, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_once),
]


class WebhookChanges(Input):
    """What may be changed of an endpoint; what is left out stays. `paused` keeps what comes until it is `enabled`."""

    url: Url = ABSENT
    events: Events = ABSENT
    description: Annotated[str, Field(max_length=300), AfterValidator(_clean)] = ABSENT
    status: Literal["enabled", "paused"] = ABSENT
    storefront_ids: Storefronts = ABSENT
    ordered: bool = ABSENT
    concurrency: Annotated[int, Field(ge=1, le=100)] = ABSENT
    rate_limit: Annotated[int, Field(ge=1, le=10_000)] | None = None


class WebhookInput(WebhookChanges):
    """A new endpoint. Without `storefront_ids` it is told of events of every storefront."""

    url: Url
    events: Events


class RotationInput(Input):
    """When the older secrets stop signing: in a day, unless said otherwise; at once, or in a week at most."""

    expire_old_after_seconds: Annotated[int, Field(ge=0, le=7 * _DAY)] = _DAY


async def get_webhook(ctx: Context, *, id: str) -> WebhookEndpoint:  # noqa: A002
    """The endpoint with this id."""
    ctx.require_read(SCOPE)
    return await get(ctx, WEBHOOK, id)


async def webhook_bodies(ctx: Context, rows: Sequence[WebhookEndpoint]) -> list[WebhookBody]:
    """Endpoints as REST tells them."""
    keys = await gather(*(public_keys(ctx, row) for row in rows))
    return [WebhookBody.of(row, own) for row, own in zip(rows, keys, strict=True)]


async def public_keys(ctx: Context, row: WebhookEndpoint) -> list[str]:
    """The endpoint's Ed25519 keys that sign now, newest first."""
    return [public_text(key) for key in await _live_public_keys(ctx, row.id)]


async def key_set(ctx: Context, *, id: str) -> KeySetBody:  # noqa: A002
    """The same as a JWK set. For everyone who knows the id: a receiver, who verifies by it, has no token."""
    keys = await _live_public_keys(ctx, id) if is_id("whk", id) else []
    if not keys:
        raise NotFound("webhook", id[:64])
    return KeySetBody.model_construct(keys=[PublicJwkBody(**public_jwk(key)) for key in keys])


async def _live_public_keys(ctx: Context, id: str) -> list[bytes]:  # noqa: A002
    """Read for all endpoints of a list by one statement."""

    async def batch(ids: list[str]) -> list[list[bytes]]:
        found = await ctx.db.fetch(
            "select endpoint_id, public_key from webhook_secrets "
            "where endpoint_id = any($1::text[]) and (expires_at is null or expires_at > $2) order by id desc",
            [ids, ctx.clock()],
        )
        keys: dict[str, list[bytes]] = {id_: [] for id_ in ids}
        for record in found:
            keys[record["endpoint_id"]].append(record["public_key"])
        return [keys[id_] for id_ in ids]

    found: list[bytes] = await ctx.loaders.batched("public_keys_by_webhook", id, batch)
    return found


async def create_webhook(ctx: Context, *, given: WebhookInput) -> Written:
    """A new endpoint of the viewer's own, with its secret."""
    ctx.require(SCOPE)
    written = await write(ctx, "webhook.create", given.sent, partial(_create, ctx, given))
    return Written(written.body | {"secret": await _first_secret(ctx, written.id)}, written.created, written.replayed)


async def _create(ctx: Context, given: WebhookInput, session: WriteSession) -> Written:
    await _check_room(ctx, session)
    now = ctx.clock()
    row = WebhookEndpoint(
        id=new_id("whk"), owner_id=ctx.viewer.user_id, client_id=ctx.viewer.client_id, url=given.url,
        events=given.events, storefront_ids=[], created_at=now, updated_at=now,
    )  # fmt: skip
    _apply(row, given)
    if ctx.viewer.storefront_ids is not None and not row.storefront_ids:
        row.storefront_ids = sorted(ctx.viewer.storefront_ids)
    await _check(ctx, session, row)
    session.add(row)
    await session.flush()
    key = await add_key(session, Seal(ctx.platform.secret), row.id, now)
    await note_act(ctx, session, "webhook.created", row.id, {"url": row.url})
    return Written(WebhookBody.of(row, [public_text(key.public_bytes)]).as_json(), created=True)


async def _check_room(ctx: Context, session: WriteSession) -> None:
    query = select(func.count()).where(WebhookEndpoint.owner_id == ctx.viewer.user_id)
    if (await session.exec(query)).one() >= MOST_ENDPOINTS:
        raise Conflict(f"You have {MOST_ENDPOINTS} webhooks, and there can be no more.", code="too_many_webhooks")


async def _first_secret(ctx: Context, endpoint_id: str) -> str:
    """The secret that an endpoint was made with; a repeated request is answered with it again, and it lies sealed."""
    sealed = await ctx.db.fetch_value(
        "select secret_sealed from webhook_secrets where endpoint_id = $1 order by id limit 1", [endpoint_id]
    )
    if sealed is None:
        raise NotFound("webhook", endpoint_id)
    return secret_text(Seal(ctx.platform.secret).open(sealed, endpoint_id))


async def update_webhook(
    ctx: Context, *, id: str, given: WebhookChanges, if_match: str | None = None  # noqa: A002
) -> Written:  # fmt: skip
    """Changes what was sent; nothing is touched where nothing differs."""
    ctx.require(SCOPE)
    return await write(ctx, "webhook.update", {"id": id, **given.sent}, partial(_update, ctx, id, given, if_match))


async def _update(
    ctx: Context, id: str, given: WebhookChanges, if_match: str | None, session: WriteSession  # noqa: A002
) -> Written:  # fmt: skip
    row = await own_webhook(ctx, session, id)
    check_unchanged(if_match, await _body(ctx, session, row))
    before, url = row.status, row.url
    _apply(row, given)
    await _check(ctx, session, row)
    if session.is_modified(row):
        row.updated_at = ctx.clock()
        _restart(session, row, before)
        await session.flush()
        if row.url != url:
            await note_act(ctx, session, "webhook.moved", row.id, {"from": url, "to": row.url})
        await wake(session, row.id)
    return Written(await _body(ctx, session, row))


def _apply(row: WebhookEndpoint, given: WebhookChanges) -> None:
    for name, value in given.model_dump(exclude_unset=True).items():
        if getattr(row, name) != value:
            setattr(row, name, value)


def _restart(session: WriteSession, row: WebhookEndpoint, before: str) -> None:
    """Whoever enables an endpoint starts it afresh; the change of status is written down."""
    if row.status == before:
        return
    if row.status == "enabled":
        row.status_reason, row.failing_since, row.notices_sent = None, None, 0
    kind = {"enabled": "resumed" if before == "paused" else "enabled", "paused": "paused"}[row.status]
    _note(session, row, kind, f"Set to {row.status} by its owner.")


def _note(session: WriteSession, row: WebhookEndpoint, kind: str, message: str) -> None:
    notice = WebhookNotice(
        id=new_id("ntc"), endpoint_id=row.id, owner_id=row.owner_id, kind=kind, message=message,
        created_at=row.updated_at,
    )  # fmt: skip
    session.add(notice)


async def _check(ctx: Context, session: WriteSession, row: WebhookEndpoint) -> None:
    faults = []
    try:
        ctx.platform.webhook_rules.target(row.url)
    except RefusedAddress as error:
        faults.append(Fault("/url", str(error)))
    query = select(Storefront.id).where(
        col(Storefront.id).in_(row.storefront_ids), Storefront.owner_id == ctx.viewer.user_id
    )
    own = set((await session.exec(query)).all()) if row.storefront_ids else set()
    allowed = own if ctx.viewer.storefront_ids is None else own & ctx.viewer.storefront_ids
    faults += [
        Fault(f"/storefront_ids/{n}", "is no storefront of yours")
        for n, one in enumerate(row.storefront_ids)
        if one not in allowed
    ]
    if ctx.viewer.storefront_ids is not None and not row.storefront_ids:
        faults.append(Fault("/storefront_ids", "must name storefronts that this token is held to"))
    if faults:
        raise Invalid(*faults)


async def delete_webhook(ctx: Context, *, id: str, if_match: str | None = None) -> Written:  # noqa: A002
    """Removes an endpoint; what was on its way to it ends."""
    ctx.require(SCOPE)

    async def act(session: WriteSession) -> Written:
        row = await own_webhook(ctx, session, id)
        body = await _body(ctx, session, row)
        check_unchanged(if_match, body)
        await session.delete(row)
        await session.flush()
        await note_act(ctx, session, "webhook.removed", row.id)
        return Written(body)

    return await write(ctx, "webhook.delete", {"id": id}, act)


async def secrets_of(ctx: Context, *, id: str) -> list[WebhookSecretBody]:  # noqa: A002
    """The live generations of an endpoint's keys, newest first; of each secret only the end is told."""
    row = await get_webhook(ctx, id=id)
    async with ctx.db.write() as session:
        keys = await live_keys(session, row.id, ctx.clock())
    seal = Seal(ctx.platform.secret)
    return [_secret_body(seal, key) for key in keys]


async def recent_secret(ctx: Context, *, id: str) -> ShownSecretBody:  # noqa: A002
    """The newest secret of one's own endpoint, in full; that it was shown is written down in the audit log."""
    ctx.require(SCOPE)
    async with ctx.db.write() as session:
        row = await own_webhook(ctx, session, id)
        [newest, *_] = await live_keys(session, row.id, ctx.clock())
        await note_act(ctx, session, "webhook.secret_shown", row.id, {"secret": newest.id})
    seal = Seal(ctx.platform.secret)
    secret = secret_text(seal.open(newest.secret_sealed, newest.endpoint_id))
    return ShownSecretBody.model_construct(**_secret_body(seal, newest).__dict__, secret=secret)


def _secret_body(seal: Seal, key: WebhookSecret) -> WebhookSecretBody:
    secret = secret_text(seal.open(key.secret_sealed, key.endpoint_id))
    return WebhookSecretBody.of(key, secret, public_text(key.public_key))


async def rotate_secret(ctx: Context, *, id: str, given: RotationInput) -> Written:  # noqa: A002
    """A new generation of keys, with its secret."""
    ctx.require(SCOPE)
    written = await write(ctx, "webhook.rotate", {"id": id, **given.sent}, partial(_rotate, ctx, id, given))
    sealed = await ctx.db.fetch_value("select secret_sealed from webhook_secrets where id = $1", [written.id])
    if sealed is None:
        raise NotFound("webhook", id[:64])
    secret = secret_text(Seal(ctx.platform.secret).open(sealed, id))
    return Written(written.body | {"secret": secret}, written.created, written.replayed)


async def _rotate(ctx: Context, id: str, given: RotationInput, session: WriteSession) -> Written:  # noqa: A002
    row, seal, now = await own_webhook(ctx, session, id), Seal(ctx.platform.secret), ctx.clock()
    until = now + timedelta(seconds=given.expire_old_after_seconds)
    try:
        await rotate(session, seal, row.id, now, until)
    except TooManySecrets:
        raise Conflict("Ten secrets are live; wait until one has expired.", code="too_many_secrets") from None
    row.updated_at = now
    _note(session, row, "secret_rotated", "A new secret signs; older ones sign along for a while.")
    await session.flush()
    await note_act(ctx, session, "webhook.secret_rotated", row.id, {"old_expire_at": rfc3339(until)})
    await wake(session, row.id)
    [newest, *_] = await live_keys(session, row.id, now)
    body = _secret_body(seal, newest).as_json() | {"old_expire_at": until.isoformat().replace("+00:00", "Z")}
    return Written(body, created=True)


async def own_webhook(ctx: Context, session: WriteSession, id: str) -> WebhookEndpoint:  # noqa: A002
    """The viewer's own endpoint, locked for a change; one that it may only read is Forbidden, the rest NotFound."""
    check_id("whk", id)
    query = select(WebhookEndpoint).where(WebhookEndpoint.id == id).with_for_update()
    row = (await session.exec(query)).first()
    if row is None or (row.owner_id != ctx.viewer.user_id and not ctx.viewer.sight.reads_all):
        raise NotFound("webhook", id[:64])
    if row.owner_id != ctx.viewer.user_id or not _within(ctx, row):
        raise Forbidden(f"The webhook {row.id} is not yours to change.")
    return row


def _within(ctx: Context, row: WebhookEndpoint) -> bool:
    """A token held to some storefronts reaches only endpoints that are held to them too."""
    held = ctx.viewer.storefront_ids
    return held is None or (bool(row.storefront_ids) and held.issuperset(row.storefront_ids))


async def _body(ctx: Context, session: WriteSession, row: WebhookEndpoint) -> dict[str, Any]:
    keys = await live_keys(session, row.id, ctx.clock())
    return WebhookBody.of(row, [public_text(key.public_key) for key in keys]).as_json()
