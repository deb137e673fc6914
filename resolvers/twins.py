"""A creator's digital twin: kept with consent, shown to the creator's own token alone, exported and erased at a word."""

from asyncio import gather
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, delete, func, select

from auth import twins
from db.bodies.twins import TwinBody
from db.ids import new_id
from db.measures import in_millimetres
from db.relations import ALL_CONSENTS, TWIN_FIT_PREFERENCES, TWIN_KNOWN_SIZES, TWIN_MEASUREMENTS
from db.sessions import WriteSession
from db.tables import FitPreference, KnownSize, Measurement, Twin, TwinConsent
from resolvers.context import Context
from resolvers.errors import Conflict, Forbidden, NotFound
from resolvers.inputs import ABSENT
from resolvers.twin_inputs import (
    USUAL_CONFIDENCE,
    ConsentInput,
    FitPreferencesInput,
    KnownSizesInput,
    MeasurementInput,
    MeasurementRemovalInput,
    MeasurementsInput,
    WithdrawalInput,
    check_measurements,
)
from resolvers.writes import Act, Written, write

MOST_MEASUREMENTS: Final = 5000
# What makes two measurements the same one, told twice; and what the later telling changes.
_SAME: Final = ("user_id", "dimension", "measured_at")
_TOLD: Final = ("value", "unit", "millimetres", "method", "confidence", "recorded_at")


async def give_consent(ctx: Context, *, given: ConsentInput) -> Written:
    """Records that the creator lets this client use the twin. Under a new version of the policy the old consent ends."""
    return await _change(ctx, "consent.give", given.sent, partial(_give, ctx, given))


async def _give(ctx: Context, given: ConsentInput, session: WriteSession) -> Written:
    await _begin(ctx, session)
    active, now = await _active(ctx, session), ctx.clock()
    for purpose in dict.fromkeys(given.purposes):
        before = active.get(purpose)
        if before is not None and before.policy_version == given.policy_version:
            continue
        if before is not None:
            before.withdrawn_at = now
            await session.flush()
        session.add(
            TwinConsent(
                id=new_id("twc"), user_id=ctx.viewer.user_id, client_id=ctx.viewer.client_id, purpose=purpose,
                policy_version=given.policy_version, given_at=now,
            )
        )  # fmt: skip
    return _own(ctx)


async def withdraw_consent(ctx: Context, *, given: WithdrawalInput) -> Written:
    """Ends this client's consents. What there is not is withdrawn already."""
    return await _change(ctx, "consent.withdraw", given.sent, partial(_withdraw, ctx, given))


async def _withdraw(ctx: Context, given: WithdrawalInput, session: WriteSession) -> Written:
    await _hold(ctx, session)
    active = await _active(ctx, session)
    for purpose in given.purposes:
        if purpose in active:
            active[purpose].withdrawn_at = ctx.clock()
    return _own(ctx)


async def record_measurements(ctx: Context, *, given: MeasurementsInput) -> Written:
    """Adds measurements, all or none."""
    return await _change(ctx, "measurements.record", given.sent, partial(_record, ctx, given))


async def _record(ctx: Context, given: MeasurementsInput, session: WriteSession) -> Written:
    check_measurements(ctx, given.measurements)
    await _hold_consented(ctx, session)
    statement = insert(Measurement).values([_measured(ctx, item) for item in given.measurements])
    told = {name: statement.excluded[name] for name in _TOLD}
    await session.exec(statement.on_conflict_do_update(index_elements=_SAME, set_=told))
    count = select(func.count()).where(Measurement.user_id == ctx.viewer.user_id)
    if (await session.exec(count)).one() > MOST_MEASUREMENTS:
        raise Conflict(f"A twin keeps at most {MOST_MEASUREMENTS} measurements; remove some first.", code="too_many")
    return _own(ctx)


def _measured(ctx: Context, item: MeasurementInput) -> dict[str, Any]:
    now = ctx.clock()
    return {
        "id": new_id("msm"), "user_id": ctx.viewer.user_id, "dimension": item.dimension, "value": item.value,
        "unit": item.unit, "millimetres": in_millimetres(item.value, item.unit), "method": item.method,
        "confidence": USUAL_CONFIDENCE[item.method] if item.confidence is ABSENT else item.confidence,
        "measured_at": now if item.measured_at is ABSENT else item.measured_at, "recorded_at": now,
    }  # fmt: skip


async def remove_measurement(ctx: Context, *, given: MeasurementRemovalInput) -> Written:
    """Takes one measurement out."""
    return await _change(ctx, "measurement.remove", given.sent, partial(_remove, ctx, given))


async def _remove(ctx: Context, given: MeasurementRemovalInput, session: WriteSession) -> Written:
    await _hold_consented(ctx, session)
    row = await session.get(Measurement, given.id)
    if row is None or row.user_id != ctx.viewer.user_id:
        raise NotFound("measurement", given.id)
    await session.delete(row)
    return _own(ctx)


async def set_fit_preferences(ctx: Context, *, given: FitPreferencesInput) -> Written:
    """Puts these in the place of those that were kept; of two for one category the later holds."""
    rows = {item.category: item.fit for item in given.preferences}
    made = [FitPreference(id=new_id("fit"), user_id=ctx.viewer.user_id, category=c, fit=f) for c, f in rows.items()]
    return await _change(ctx, "fit_preferences.set", given.sent, partial(_replace, ctx, FitPreference, made))


async def set_known_sizes(ctx: Context, *, given: KnownSizesInput) -> Written:
    """Puts these in the place of those that were kept; of two for one brand and category the later holds."""
    rows = {(item.brand, item.category): item.size for item in given.sizes}
    made = [
        KnownSize(id=new_id("kns"), user_id=ctx.viewer.user_id, brand=brand, category=category, size=size)
        for (brand, category), size in rows.items()
    ]
    return await _change(ctx, "known_sizes.set", given.sent, partial(_replace, ctx, KnownSize, made))


async def _replace(
    ctx: Context, table: type[FitPreference] | type[KnownSize], rows: Iterable[Any], session: WriteSession
) -> Written:
    await _hold_consented(ctx, session)
    await session.exec(delete(table).where(col(table.user_id) == ctx.viewer.user_id))
    session.add_all(rows)
    return _own(ctx)


async def erase(ctx: Context, *, twin_of: str) -> Written:
    """Deletes the viewer's own twin for good, whatever was consented to. Erased or never there: the outcome is the same."""
    if twin_of != ctx.viewer.user_id:
        raise NotFound("twin of", twin_of[:64])
    return await _change(ctx, "erase", {"twin_of": twin_of}, partial(_erase, ctx))


async def _erase(ctx: Context, session: WriteSession) -> Written:
    await (await session.connection()).run_sync(twins.erase, ctx.viewer.user_id)
    return _own(ctx)


async def export(ctx: Context, twin: Twin) -> dict[str, Any]:
    """All that is kept of a twin that the viewer sees."""
    relations = (ALL_CONSENTS, TWIN_MEASUREMENTS, TWIN_FIT_PREFERENCES, TWIN_KNOWN_SIZES)
    parts: Any = await gather(*(ctx.loaders.all(relation, twin.id) for relation in relations))
    return TwinBody.of(twin, ctx.viewer.client_id, *parts).as_json()


# ── what every change shares ─────────────────────────────────────────────────────────────────────────────────────────


async def _change(ctx: Context, operation: str, arguments: dict[str, Any], act: Act) -> Written:
    """A write of the creator's own. Nothing of the twin stands in the answer that an idempotency key keeps."""
    ctx.require("preview:twin")
    if not ctx.viewer.creator:
        message = "A twin is its creator's alone: this needs a token that the creator gave you (authorization code)."
        raise Forbidden(message, code="creator_token_required")
    return await write(ctx, f"twin.{operation}", {"user_id": ctx.viewer.user_id, **arguments}, act)


def _own(ctx: Context) -> Written:
    return Written({"id": ctx.viewer.user_id})


async def _begin(ctx: Context, session: WriteSession) -> None:
    """Makes the twin where there is none, and holds it until the transaction ends."""
    now = ctx.clock()
    made = insert(Twin).values(id=ctx.viewer.user_id, created_at=now, updated_at=now)
    await session.exec(made.on_conflict_do_update(index_elements=[Twin.id], set_={"updated_at": now}))


async def _hold(ctx: Context, session: WriteSession) -> Twin | None:
    """The viewer's twin, held until the transaction ends."""
    query = select(Twin).where(Twin.id == ctx.viewer.user_id).with_for_update()
    return (await session.exec(query)).first()


async def _hold_consented(ctx: Context, session: WriteSession) -> None:
    """The same for a change of what is in it, for which this client needs the creator's consent."""
    twin = await _hold(ctx, session)
    if twin is None or "measurements" not in await _active(ctx, session):
        message = "The creator has given this client no consent to keep measurements; record the consent first."
        raise Conflict(message, code="consent_required")
    twin.updated_at = ctx.clock()


async def _active(ctx: Context, session: WriteSession) -> dict[str, TwinConsent]:
    """This client's consents that stand, by purpose."""
    query = select(TwinConsent).where(
        TwinConsent.user_id == ctx.viewer.user_id, TwinConsent.client_id == ctx.viewer.client_id,
        col(TwinConsent.withdrawn_at).is_(None),
    )  # fmt: skip
    return {row.purpose: row for row in await session.exec(query)}
