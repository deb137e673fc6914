"""What an upload says of its file."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from db.cursors import rfc3339
from resolvers.inputs import ABSENT, IdOf, Input, Line, MomentInput, ShortLine
from vault.rights import TERRITORIES


def _territories(value: list[str]) -> list[str]:
    unknown = [code for code in value if code not in TERRITORIES]
    if unknown:
        raise ValueError(f"must be countries in two capital letters (ISO 3166-1), such as FR; not {unknown[0][:20]!r}")
    if len(set(value)) != len(value):
        raise ValueError("names a country twice")
    return value


class RightsInput(Input):
    """What others may do with it. No territories: everywhere; no times: from its publication on, without an end."""

    license: ShortLine
    territories: Annotated[list[str], Field(max_length=len(TERRITORIES)), AfterValidator(_territories)] = ABSENT
    embargo_until: MomentInput | None = None
    expires_at: MomentInput | None = None
    ai_training: bool = False

    @model_validator(mode="after")
    def ordered(self) -> "RightsInput":
        """The rights end after the embargo does."""
        if self.embargo_until and self.expires_at and self.expires_at <= self.embargo_until:
            raise ValueError("expires_at must be later than embargo_until")
        return self

    @property
    def kept(self) -> dict[str, Any]:
        """The rights as they are kept and shown."""
        return {
            "license": self.license,
            "territories": self.territories or [],
            "embargo_until": _text(self.embargo_until),
            "expires_at": _text(self.expires_at),
            "ai_training": self.ai_training,
        }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


class AssetInput(Input):
    """A new asset, beside its file."""

    title: Line
    rights: RightsInput
    collection_id: IdOf("col") = ABSENT  # type: ignore[valid-type]
