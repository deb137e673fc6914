"""GraphQL: what a creator's client may do with the creator's digital twin, a preview."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET, Info

from db.relations import TWIN, TWIN_CONSENTS
from resolvers import twins
from resolvers.context import Context
from resolvers.loaders import PageArgs
from resolvers.twin_inputs import (
    ConsentInput,
    FitPreferencesInput,
    KnownSizesInput,
    MeasurementRemovalInput,
    MeasurementsInput,
    WithdrawalInput,
)
from resolvers.writes import Written
from schema.fields import context_of
from schema.mutations import UserError, as_input, run
from schema.twins import (
    TWIN_PREVIEW,
    BodyDimension,
    FitPreference,
    LengthUnit,
    MeasuringMethod,
    Twin,
    TwinConsent,
    TwinPurpose,
)


@strawberry.input(description="What the creator agreed to.", directives=[TWIN_PREVIEW])
class TwinConsentGiveInput:
    """Kept as the proof of the consent."""

    purposes: list[TwinPurpose]
    policy_version: str = strawberry.field(description="Of your policy, as the creator was shown it.")


@strawberry.input(description="What the creator no longer agrees to.", directives=[TWIN_PREVIEW])
class TwinConsentWithdrawInput:
    """Of your own client's."""

    purposes: list[TwinPurpose]


@strawberry.input(description="One measurement.", directives=[TWIN_PREVIEW])
class BodyMeasurementInput:
    """Without a time it was taken now; without a confidence it has the usual one of its method."""

    dimension: BodyDimension
    value: Decimal
    unit: LengthUnit
    method: MeasuringMethod
    confidence: Decimal | None = UNSET
    measured_at: datetime | None = UNSET


@strawberry.input(
    description="Measurements to add; one of the same dimension and time as one that is kept takes its place.",
    directives=[TWIN_PREVIEW],
)
class TwinMeasurementsRecordInput:
    """At most 100, all or none."""

    measurements: list[BodyMeasurementInput]


@strawberry.input(description="Which measurement was wrong.", directives=[TWIN_PREVIEW])
class TwinMeasurementRemoveInput:
    """Its id."""

    id: strawberry.ID


@strawberry.input(
    description="How a category is liked to sit; without a category, every other.", directives=[TWIN_PREVIEW]
)
class CategoryFitInput:
    """One for each category."""

    category: str | None = UNSET
    fit: FitPreference


@strawberry.input(description="All preferences; they take the place of those kept.", directives=[TWIN_PREVIEW])
class TwinFitPreferencesSetInput:
    """An empty list takes all away."""

    preferences: list[CategoryFitInput]


@strawberry.input(
    description="A size that fits well; without a category, in everything of the brand's.", directives=[TWIN_PREVIEW]
)
class KnownSizeInput:
    """One for each brand and category."""

    brand: str
    category: str | None = UNSET
    size: str


@strawberry.input(description="All known sizes; they take the place of those kept.", directives=[TWIN_PREVIEW])
class TwinKnownSizesSetInput:
    """An empty list takes all away."""

    sizes: list[KnownSizeInput]


@strawberry.input(description="Whose twin to erase, for good.", directives=[TWIN_PREVIEW])
class TwinEraseInput:
    """The id of the user that the token acts as."""

    twin_of: strawberry.ID


@strawberry.type(description="The twin as it stands after the write, or what was wrong.", directives=[TWIN_PREVIEW])
class TwinPayload:
    """`twin` is null where there are user errors, and where your client may not read it."""

    twin: Twin | None
    user_errors: list[UserError]


async def _standing(info: Info):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the class says the type
    ctx = context_of(info)
    rows = await ctx.loaders.page(TWIN_CONSENTS, ctx.viewer.user_id, PageArgs(limit=100))
    return [row for row in rows if row.withdrawn_at is None]


@strawberry.type(description="What your client may do with the twin after the write.", directives=[TWIN_PREVIEW])
class TwinConsentPayload:
    """`consents` are those that stand."""

    twin: Twin | None
    user_errors: list[UserError]
    consents: list[TwinConsent] = strawberry.field(resolver=_standing, description="Those that stand.")


@strawberry.type(description="Whether nothing of the twin is left, or what was wrong.", directives=[TWIN_PREVIEW])
class TwinErasePayload:
    """`erased` is null where there are user errors."""

    told: strawberry.Private[Any]
    erased: bool | None
    user_errors: list[UserError]


@strawberry.type
class TwinMutations:
    """Each needs a token that the creator gave by the authorization code."""

    @strawberry.mutation(description="Record that the creator lets you use the twin.", directives=[TWIN_PREVIEW])
    async def twin_consent_give(self, info: Info, input: TwinConsentGiveInput) -> TwinConsentPayload:  # noqa: A002
        """A new version of the policy ends the consent to the one before."""

        async def act(ctx: Context) -> Written:
            return await twins.give_consent(ctx, given=as_input(ConsentInput, input))

        return await run(info, TwinConsentPayload, "twin", TWIN, act)

    @strawberry.mutation(description="Record that the creator no longer does.", directives=[TWIN_PREVIEW])
    async def twin_consent_withdraw(self, info: Info, input: TwinConsentWithdrawInput) -> TwinConsentPayload:  # noqa: A002
        """The twin is hidden from your client at once."""

        async def act(ctx: Context) -> Written:
            return await twins.withdraw_consent(ctx, given=as_input(WithdrawalInput, input))

        return await run(info, TwinConsentPayload, "twin", TWIN, act)

    @strawberry.mutation(description="Add measurements, all or none.", directives=[TWIN_PREVIEW])
    async def twin_measurements_record(self, info: Info, input: TwinMeasurementsRecordInput) -> TwinPayload:  # noqa: A002
        """Needs the consent MEASUREMENTS, as what follows does."""

        async def act(ctx: Context) -> Written:
            return await twins.record_measurements(ctx, given=as_input(MeasurementsInput, input))

        return await run(info, TwinPayload, "twin", TWIN, act)

    @strawberry.mutation(description="Take a wrong measurement out.", directives=[TWIN_PREVIEW])
    async def twin_measurement_remove(self, info: Info, input: TwinMeasurementRemoveInput) -> TwinPayload:  # noqa: A002
        """By its id."""

        async def act(ctx: Context) -> Written:
            return await twins.remove_measurement(ctx, given=as_input(MeasurementRemovalInput, input))

        return await run(info, TwinPayload, "twin", TWIN, act)

    @strawberry.mutation(description="Say how clothes are liked to sit, by category.", directives=[TWIN_PREVIEW])
    async def twin_fit_preferences_set(self, info: Info, input: TwinFitPreferencesSetInput) -> TwinPayload:  # noqa: A002
        """Replaces all."""

        async def act(ctx: Context) -> Written:
            return await twins.set_fit_preferences(ctx, given=as_input(FitPreferencesInput, input))

        return await run(info, TwinPayload, "twin", TWIN, act)

    @strawberry.mutation(description="Say which sizes fit well, by brand.", directives=[TWIN_PREVIEW])
    async def twin_known_sizes_set(self, info: Info, input: TwinKnownSizesSetInput) -> TwinPayload:  # noqa: A002
        """Replaces all."""

        async def act(ctx: Context) -> Written:
            return await twins.set_known_sizes(ctx, given=as_input(KnownSizesInput, input))

        return await run(info, TwinPayload, "twin", TWIN, act)

    @strawberry.mutation(
        description="Erase the whole twin, consents included, for good. It needs no consent.", directives=[TWIN_PREVIEW]
    )
    async def twin_erase(self, info: Info, input: TwinEraseInput) -> TwinErasePayload:  # noqa: A002
        """Nothing of it is left in any table."""

        async def act(ctx: Context) -> Written:
            return await twins.erase(ctx, twin_of=input.twin_of)

        return await run(info, TwinErasePayload, "told", None, act, erased=lambda _: True)
