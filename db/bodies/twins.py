"""A creator's copy of the digital twin: all that is kept of it."""

from collections.abc import Iterable
from typing import Any

from db.bodies.base import Body, Id, Moment
from db.tables import FitPreference, KnownSize, Measurement, Twin, TwinConsent


class TwinConsentBody(Body):
    """What the creator let a client do. A client that asks is told of no other one; the creator is told of each."""

    purpose: str
    policy_version: str
    client_id: str | None
    given_at: Moment
    withdrawn_at: Moment | None


class MeasurementBody(Body):
    """One dimension of the body at one time."""

    id: str = Id("msm")
    dimension: str
    value: str
    unit: str
    millimetres: str
    method: str
    confidence: str
    measured_at: Moment
    recorded_at: Moment


class FitPreferenceBody(Body):
    """How a category of clothes is liked to sit; without a category, every other one."""

    category: str | None
    fit: str


class KnownSizeBody(Body):
    """A size that fits well."""

    brand: str
    category: str | None
    size: str


class TwinBody(Body):
    """The whole twin."""

    user_id: str = Id("usr")
    consents: list[TwinConsentBody]
    measurements: list[MeasurementBody]
    fit_preferences: list[FitPreferenceBody]
    known_sizes: list[KnownSizeBody]
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(
        cls, twin: Twin, client_id: str | None, consents: Iterable[TwinConsent], measurements: Iterable[Measurement],
        preferences: Iterable[FitPreference], sizes: Iterable[KnownSize],
    ) -> "TwinBody":  # fmt: skip
        """From its rows, for the client that asks; None: for the creator's own eyes."""
        return cls(
            user_id=twin.id, created_at=twin.created_at, updated_at=twin.updated_at,
            consents=[_consent(row, client_id) for row in consents],
            measurements=[MeasurementBody(**_texts(row, MeasurementBody)) for row in measurements],
            fit_preferences=[FitPreferenceBody(category=row.category, fit=row.fit) for row in preferences],
            known_sizes=[KnownSizeBody(brand=row.brand, category=row.category, size=row.size) for row in sizes],
        )  # fmt: skip


def _consent(row: TwinConsent, client_id: str | None) -> TwinConsentBody:
    return TwinConsentBody(
        purpose=row.purpose, policy_version=row.policy_version, given_at=row.given_at, withdrawn_at=row.withdrawn_at,
        client_id=row.client_id if client_id in (None, row.client_id) else None,
    )  # fmt: skip


def _texts(row: Any, body: type[Body]) -> dict[str, Any]:
    """A row's columns that a body has, decimals as text."""
    return {
        name: str(getattr(row, name)) if told.annotation is str else getattr(row, name)
        for name, told in body.model_fields.items()
    }
