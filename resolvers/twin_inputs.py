"""What a creator's client tells of the creator's body, and what it may do with it."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field

from db.measures import DIMENSIONS, in_millimetres
from resolvers.context import Context
from resolvers.errors import Fault, Invalid
from resolvers.inputs import ABSENT, Amount, IdOf, Input, MomentInput, ShortLine

Purpose = Literal["measurements", "size_advice"]
Unit = Literal["mm", "cm", "in"]
Method = Literal["self_reported", "tape", "scan_3d", "photo"]
Fit = Literal["close", "regular", "loose"]
DimensionName = Literal[
    "stature", "head_girth", "neck_girth", "neck_base_girth", "chest_girth", "bust_girth", "underbust_girth",
    "waist_girth", "hip_girth", "thigh_girth", "knee_girth", "calf_girth", "ankle_girth", "upper_arm_girth",
    "wrist_girth", "hand_girth", "hand_length", "shoulder_length", "shoulder_width", "arm_length", "inside_leg_length",
    "outside_leg_length", "foot_length",
]  # fmt: skip
# How sure a measurement is where nobody says: how far apart two such measurements of one body tend to lie.
USUAL_CONFIDENCE: Final = {
    "scan_3d": Decimal("0.95"), "tape": Decimal("0.90"), "self_reported": Decimal("0.70"), "photo": Decimal("0.60"),
}  # fmt: skip
_CLOCKS_DIFFER: Final = timedelta(minutes=5)


class ConsentInput(Input):
    """What the creator agreed to, and which version of the client's policy said so."""

    purposes: Annotated[list[Purpose], Field(min_length=1, max_length=10)]
    policy_version: ShortLine


class WithdrawalInput(Input):
    """What the creator no longer agrees to."""

    purposes: Annotated[list[Purpose], Field(min_length=1, max_length=10)]


class MeasurementInput(Input):
    """One measurement. Without a time it was taken now; without a confidence it has the usual one of its method."""

    dimension: DimensionName
    value: Amount
    unit: Unit
    method: Method
    confidence: Amount = ABSENT
    measured_at: MomentInput = ABSENT


class MeasurementsInput(Input):
    """Measurements to add. One of the same dimension and time as one that is kept takes its place."""

    measurements: Annotated[list[MeasurementInput], Field(min_length=1, max_length=100)]


class MeasurementRemovalInput(Input):
    """Which measurement was wrong."""

    id: IdOf("msm")  # type: ignore[valid-type]


class FitPreferenceInput(Input):
    """How a category is liked to sit; without a category, every other one."""

    category: ShortLine | None = None
    fit: Fit


class FitPreferencesInput(Input):
    """All preferences; they take the place of those that were kept."""

    preferences: Annotated[list[FitPreferenceInput], Field(max_length=100)]


class KnownSizeInput(Input):
    """A size that fits well; without a category, in everything of the brand's."""

    brand: ShortLine
    category: ShortLine | None = None
    size: ShortLine


class KnownSizesInput(Input):
    """All known sizes; they take the place of those that were kept."""

    sizes: Annotated[list[KnownSizeInput], Field(max_length=200)]


def check_measurements(ctx: Context, given: list[MeasurementInput]) -> None:
    """Refuses what no body measures, what is not yet measured, and one dimension twice at one time."""
    faults, latest = [], ctx.clock() + _CLOCKS_DIFFER
    seen = set()
    for place, item in enumerate(given):
        at = f"/measurements/{place}"
        faults += _length_faults(item, at)
        if item.confidence is not ABSENT and item.confidence > 1:
            faults.append(Fault(f"{at}/confidence", "must be between 0 and 1", "out_of_range"))
        if item.measured_at is not ABSENT and item.measured_at > latest:
            faults.append(Fault(f"{at}/measured_at", "must not be in the future", "out_of_range"))
        if (key := (item.dimension, item.measured_at)) in seen:
            faults.append(Fault(at, "is of the same dimension and time as one before it", "duplicate"))
        seen.add(key)
    if faults:
        raise Invalid(*faults)


def _length_faults(item: MeasurementInput, at: str) -> list[Fault]:
    known = DIMENSIONS[item.dimension]
    if known.least <= in_millimetres(item.value, item.unit) <= known.most:
        return []
    named = item.dimension.upper()
    range_ = f"{known.least} and {known.most} mm ({known.least / 10:g} and {known.most / 10:g} cm)"
    message = f"must lie between {range_} for {named}; {item.value} {item.unit} does not: is the unit right?"
    return [Fault(f"{at}/value", message, "out_of_range")]
