"""Lengths of the body: the units they come in, and the measurements of which twins and size charts speak."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

# What one of a unit is in millimetres; an inch is 25.4 mm exactly.
UNITS: Final = {"mm": Decimal(1), "cm": Decimal(10), "in": Decimal("25.4")}


@dataclass(frozen=True)
class Dimension:
    """One measurement: between which millimetres it lies in people of any age, and whether it goes around the body."""

    least: int
    most: int
    girth: bool = True


# The names are those of ISO 8559-1:2017 (anthropometric definitions for body measurement) and of ISO 8559:1989 before it.
# The limits are ours: wide enough for infants and for the largest people, narrow enough to catch a wrong unit.
DIMENSIONS: Final = {
    "stature": Dimension(400, 2600, girth=False),
    "head_girth": Dimension(280, 750),
    "neck_girth": Dimension(150, 700),
    "neck_base_girth": Dimension(180, 800),
    "chest_girth": Dimension(280, 2300),
    "bust_girth": Dimension(280, 2300),
    "underbust_girth": Dimension(280, 2200),
    "waist_girth": Dimension(280, 2500),
    "hip_girth": Dimension(280, 2600),
    "thigh_girth": Dimension(120, 1300),
    "knee_girth": Dimension(100, 900),
    "calf_girth": Dimension(80, 900),
    "ankle_girth": Dimension(60, 500),
    "upper_arm_girth": Dimension(70, 900),
    "wrist_girth": Dimension(60, 400),
    "hand_girth": Dimension(70, 400),
    "hand_length": Dimension(50, 320, girth=False),
    "shoulder_length": Dimension(30, 260, girth=False),
    "shoulder_width": Dimension(120, 800, girth=False),
    "arm_length": Dimension(120, 1100, girth=False),
    "inside_leg_length": Dimension(100, 1300, girth=False),
    "outside_leg_length": Dimension(150, 1600, girth=False),
    "foot_length": Dimension(50, 450, girth=False),
}


def in_millimetres(value: Decimal, unit: str) -> Decimal:
    """The same length in millimetres, exactly."""
    return value * UNITS[unit]
