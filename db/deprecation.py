"""The announced end of something public: said once, beside its definition, and told wherever it is used."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

NOTICE: Final = timedelta(days=90)


@dataclass(frozen=True)
class Deprecation:
    """`since`: the day of the mark; `sunset`: the first day on which it may be gone; `replacement`: what to use instead.

    ValueError where fewer than 90 days lie between. What counts in the end is the day of the release that first shows the
    mark: `./fshnista schema release` holds to that, so an early `since` gains nothing.

    In a model of REST it stands among a field's annotations, `Annotated[str, Deprecation(…)]`, and shows in OpenAPI.
    """

    since: date
    sunset: date
    replacement: str

    def __post_init__(self) -> None:
        if self.sunset - self.since < NOTICE:
            raise ValueError(f"the sunset {self.sunset} is less than {NOTICE.days} days after {self.since}")
        if not self.replacement:
            raise ValueError("a deprecation names what replaces it")

    def days_left(self, today: date) -> int:
        """Whole days until the sunset; 0 from then on."""
        return max(0, (self.sunset - today).days)

    @property
    def as_openapi(self) -> dict[str, Any]:
        """The words that OpenAPI has for it, and ours (`x-`)."""
        return {
            "deprecated": True, "x-deprecated-since": self.since.isoformat(), "x-sunset": self.sunset.isoformat(),
            "x-replacement": self.replacement,
        }  # fmt: skip

    @classmethod
    def from_openapi(cls, told: Any) -> "Deprecation | None":
        """The mark that a part of an OpenAPI document bears, if any."""
        if not isinstance(told, dict) or "x-sunset" not in told:
            return None
        since, sunset = date.fromisoformat(told["x-deprecated-since"]), date.fromisoformat(told["x-sunset"])
        return cls(since, sunset, told["x-replacement"])

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """Pydantic's hook: a field's schema with the mark. A reference may have no siblings in OpenAPI 3.0."""
        told = handler(core_schema)
        return ({"allOf": [told]} if "$ref" in told else told) | self.as_openapi
