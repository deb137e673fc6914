"""GraphQL: a creator's digital twin, a preview."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Final

import strawberry
from strawberry import Info

from db import tables
from db.relations import TWIN_CONSENTS, TWIN_FIT_PREFERENCES, TWIN_KNOWN_SIZES, TWIN_MEASUREMENTS
from resolvers import twins
from schema.fields import connection, context_of
from schema.paging import Connection
from schema.scalars import JSON
from schema.stages import stage

TWIN_PREVIEW: Final = stage(
    "twin", owner="Fit", until=date(2027, 2, 26),
    about="A creator's measurements, kept by consent, and which size of a product fits.",
)  # fmt: skip


@strawberry.enum(
    description="What is measured of the body; the names are those of ISO 8559-1.", directives=[TWIN_PREVIEW]
)
class BodyDimension(Enum):
    """Names of `db.measures`."""

    STATURE = "stature"
    HEAD_GIRTH = "head_girth"
    NECK_GIRTH = "neck_girth"
    NECK_BASE_GIRTH = "neck_base_girth"
    CHEST_GIRTH = "chest_girth"
    BUST_GIRTH = "bust_girth"
    UNDERBUST_GIRTH = "underbust_girth"
    WAIST_GIRTH = "waist_girth"
    HIP_GIRTH = "hip_girth"
    THIGH_GIRTH = "thigh_girth"
    KNEE_GIRTH = "knee_girth"
    CALF_GIRTH = "calf_girth"
    ANKLE_GIRTH = "ankle_girth"
    UPPER_ARM_GIRTH = "upper_arm_girth"
    WRIST_GIRTH = "wrist_girth"
    HAND_GIRTH = "hand_girth"
    HAND_LENGTH = "hand_length"
    SHOULDER_LENGTH = "shoulder_length"
    SHOULDER_WIDTH = "shoulder_width"
    ARM_LENGTH = "arm_length"
    INSIDE_LEG_LENGTH = "inside_leg_length"
    OUTSIDE_LEG_LENGTH = "outside_leg_length"
    FOOT_LENGTH = "foot_length"


@strawberry.enum(description="Millimetres, centimetres, inches of 25.4 mm.", directives=[TWIN_PREVIEW])
class LengthUnit(Enum):
    """Names of `db.measures`."""

    MM = "mm"
    CM = "cm"
    IN = "in"


@strawberry.enum(description="How it was measured.", directives=[TWIN_PREVIEW])
class MeasuringMethod(Enum):
    """Kept in lower case, shown in upper case."""

    SELF_REPORTED = "self_reported"
    TAPE = "tape"
    SCAN_3D = "scan_3d"
    PHOTO = "photo"


@strawberry.enum(description="How clothes are liked to sit.", directives=[TWIN_PREVIEW])
class FitPreference(Enum):
    """Kept in lower case, shown in upper case."""

    CLOSE = "close"
    REGULAR = "regular"
    LOOSE = "loose"


@strawberry.enum(
    description="MEASUREMENTS: read the twin and change it. SIZE_ADVICE: be told which size fits.",
    directives=[TWIN_PREVIEW],
)
class TwinPurpose(Enum):
    """Kept in lower case, shown in upper case."""

    MEASUREMENTS = "measurements"
    SIZE_ADVICE = "size_advice"


@strawberry.enum(description="In which order.", directives=[TWIN_PREVIEW])
class MeasurementSort(Enum):
    """Names of `db.relations`."""

    CREATED_AT_ASC = "CREATED_AT_ASC"
    CREATED_AT_DESC = "CREATED_AT_DESC"
    MEASURED_AT_ASC = "MEASURED_AT_ASC"
    MEASURED_AT_DESC = "MEASURED_AT_DESC"


@strawberry.type(description="The creator lets your client use the twin for a purpose.", directives=[TWIN_PREVIEW])
class TwinConsent:
    """Resolves from a row of `twin_consents`."""

    id: strawberry.ID
    purpose: TwinPurpose
    policy_version: str = strawberry.field(description="Of your policy, as the creator was shown it.")
    given_at: datetime
    withdrawn_at: datetime | None = strawberry.field(description="Null while it stands.")


@strawberry.type(description="One dimension of the body at one time.", directives=[TWIN_PREVIEW])
class BodyMeasurement:
    """Resolves from a row of `twin_measurements`."""

    id: strawberry.ID
    dimension: BodyDimension
    value: Decimal = strawberry.field(description="As it was given, in `unit`.")
    unit: LengthUnit
    millimetres: Decimal = strawberry.field(description="The same length in millimetres.")
    method: MeasuringMethod
    confidence: Decimal = strawberry.field(
        description="From 0 to 1; without a word of yours, what is usual for the method."
    )
    measured_at: datetime
    recorded_at: datetime


@strawberry.type(description="How a category of clothes is liked to sit.", directives=[TWIN_PREVIEW])
class CategoryFit:
    """Resolves from a row of `twin_fit_preferences`."""

    id: strawberry.ID
    category: str | None = strawberry.field(description="A product's category; null for every other one.")
    fit: FitPreference


@strawberry.type(description="A size that fits well.", directives=[TWIN_PREVIEW])
class KnownSize:
    """Resolves from a row of `twin_known_sizes`."""

    id: strawberry.ID
    brand: str
    category: str | None = strawberry.field(description="A product's category; null for everything of the brand's.")
    size: str


async def _export(root: tables.Twin, info: Info):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the class says the type
    return await twins.export(context_of(info), root)


@strawberry.type(
    description="What a creator lets you know of the body. It shows to the creator's own token alone.",
    directives=[TWIN_PREVIEW],
)
class Twin:
    """Resolves from a row of `twins`."""

    consents: Connection[TwinConsent] = connection(TWIN_CONSENTS, description="Those given to you, ended ones too.")
    measurements: Connection[BodyMeasurement] = connection(
        TWIN_MEASUREMENTS, sort_type=MeasurementSort,
        filters={"dimensions": list[BodyDimension], "since": datetime, "newest": bool},
        description="All that were recorded; with `newest: true` the latest of each dimension.",
    )  # fmt: skip
    fit_preferences: Connection[CategoryFit] = connection(TWIN_FIT_PREFERENCES)
    known_sizes: Connection[KnownSize] = connection(TWIN_KNOWN_SIZES)
    export: JSON = strawberry.field(
        resolver=_export,
        description="The creator's copy of everything that is kept, consents to others without their names.",
    )
    created_at: datetime
    updated_at: datetime
