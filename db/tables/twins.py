"""A creator's digital twin: what is known of the body, and whom the creator lets use it for what.

Everything of a twin hangs on its row in `twins` and goes with it: an erasure is one deletion.
"""

from typing import Final

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from db.measures import DIMENSIONS, UNITS
from db.tables.base import Decimal, Table, amount, datetime, id_field, moment, one_of, optional_text, ref, text

PURPOSES: Final = ("measurements", "size_advice")
METHODS: Final = ("self_reported", "tape", "scan_3d", "photo")
FITS: Final = ("close", "regular", "loose")


class Twin(Table, table=True):
    """One creator's; it has the id of its user."""

    __tablename__ = "twins"
    id: str = ref("users.id", primary_key=True)
    created_at: datetime = moment()
    updated_at: datetime = moment()


class TwinConsent(Table, table=True):
    """A creator lets one client use the twin for one purpose, as a version of a policy told it, until it is withdrawn."""

    __tablename__ = "twin_consents"
    __table_args__ = (
        one_of("purpose", *PURPOSES),
        Index(
            "uq_twin_consents_active", "user_id", "client_id", "purpose", unique=True,
            postgresql_where="withdrawn_at is null",
        ),
        Index("ix_twin_consents_user_id_id", "user_id", "id"),
    )  # fmt: skip
    id: str = id_field("twc")
    user_id: str = ref("twins.id")
    client_id: str = ref("clients.id")
    purpose: str = text()
    policy_version: str = text()
    given_at: datetime = moment()
    withdrawn_at: datetime | None = moment(nullable=True)


class Measurement(Table, table=True):
    """One dimension of the body at one time: as it was given, and in millimetres. `confidence` is from 0 to 1."""

    __tablename__ = "twin_measurements"
    __table_args__ = (
        one_of("dimension", *DIMENSIONS),
        one_of("unit", *UNITS),
        one_of("method", *METHODS),
        CheckConstraint("confidence between 0 and 1", name="confidence"),
        UniqueConstraint("user_id", "dimension", "measured_at"),
        Index("ix_twin_measurements_user_id_id", "user_id", "id"),
    )
    id: str = id_field("msm")
    user_id: str = ref("twins.id")
    dimension: str = text()
    value: Decimal = amount()
    unit: str = text()
    millimetres: Decimal = amount()
    method: str = text()
    confidence: Decimal = amount()
    measured_at: datetime = moment()
    recorded_at: datetime = moment()


class FitPreference(Table, table=True):
    """How the creator likes one category of clothes to sit; without a category, every other one."""

    __tablename__ = "twin_fit_preferences"
    __table_args__ = (one_of("fit", *FITS), Index("ix_twin_fit_preferences_user_id_id", "user_id", "id"))
    id: str = id_field("fit")
    user_id: str = ref("twins.id")
    category: str | None = optional_text()
    fit: str = text()


class KnownSize(Table, table=True):
    """A size that fits well, by brand; without a category, in everything of the brand's."""

    __tablename__ = "twin_known_sizes"
    __table_args__ = (Index("ix_twin_known_sizes_user_id_id", "user_id", "id"),)
    id: str = id_field("kns")
    user_id: str = ref("twins.id")
    brand: str = text()
    category: str | None = optional_text()
    size: str = text()
