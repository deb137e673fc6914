"""Which size of a chart fits a body: a formula and nothing else. Lengths are exact, in any one unit.

    grade   of a dimension: the mean step from one size's middle to the next one's
    over    by how many grades the body is larger than what a size is made for; under: smaller
    loss    of a size: the mean of 2 · over + under (the chart's first dimension counts twice),
            and a quarter for each size that lies between it and the one known to fit

The best size has the least loss; among equals the one whose middle is nearest, then the one that the chart names first.
A liked fit moves the girths: CLOSE as though the body were half a grade smaller, LOOSE half a grade larger.

    trust       of a measurement: its confidence, halved with each year of a girth and each five years of a length
    evidence    the mean trust over all of the chart's dimensions, unmeasured ones counting nothing; a known size halves what lacks
    closeness   1 / (1 + loss of the best size for its measurements)
    margin      what the runner-up loses more than the best; half a grade or more decides for good
    confidence  evidence · closeness · (½ + ½ · min(1, 2 · margin))

Each term of the loss has decreasing differences in body and size (Topkis 1978), so a larger body never gets a smaller size
of a chart whose ranges rise. Trust enters the confidence alone: an old measurement makes the advice less sure, not different.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Final, Literal

from db.measures import DIMENSIONS

Verdict = Literal["too_tight", "snug", "ideal", "loose", "too_loose"]
Fit = Literal["close", "regular", "loose"]

TIGHT_COUNTS: Final = 2
FIRST_COUNTS: Final = 2
AWAY_FROM_KNOWN: Final = Fraction(1, 4)
HALF: Final = Fraction(1, 2)
SHIFTS: Final[Mapping[Fit, Fraction]] = {"close": -HALF, "regular": Fraction(0), "loose": HALF}
GIRTH_HALVES_DAYS: Final = 365.25
LENGTH_HALVES_DAYS: Final = 5 * 365.25
KNOWN_SIZE_TRUST: Final = 0.5


@dataclass(frozen=True)
class Measured:
    """One dimension of the body: its length, how sure it is (0 to 1), and how many days ago it was taken."""

    length: Fraction
    confidence: float = 1.0
    days: float = 0.0


@dataclass(frozen=True)
class Range:
    """The bodies that a size is made for."""

    lower: Fraction
    upper: Fraction


@dataclass(frozen=True)
class Size:
    """One size: its label and its range in each of the chart's dimensions."""

    label: str
    ranges: Mapping[str, Range]


@dataclass(frozen=True)
class DimensionFit:
    """How one dimension of a size sits. `difference`: by how much the body is larger than the range, or smaller (negative)."""

    dimension: str
    verdict: Verdict
    difference: Fraction
    range: Range
    body: Fraction


@dataclass(frozen=True)
class SizeFit:
    """How one size sits."""

    label: str
    dimensions: tuple[DimensionFit, ...]


@dataclass(frozen=True)
class Advice:
    """The size to take, the next best, and how sure that is: 0 to 1."""

    best: SizeFit
    runner_up: SizeFit | None
    confidence: float


def advise(
    sizes: Sequence[Size], body: Mapping[str, Measured], *, fit: Fit = "regular", known: str | None = None
) -> Advice | None:
    """The advice for a chart whose sizes all have the same dimensions; None where neither body nor known size tells anything."""
    scale = _Scale(sizes, body, fit, known)
    if not scale.compared and scale.known is None:
        return None
    losses = [scale.loss(place) for place in range(len(sizes))]
    best = min(range(len(sizes)), key=lambda place: (losses[place], scale.off_centre(place), place))
    others = [place for place in range(len(sizes)) if place != best]
    second = min(others, key=lambda place: (losses[place], scale.off_centre(place), abs(place - best)), default=None)
    margin = HALF if second is None else losses[second] - losses[best]
    return Advice(
        scale.sits(best),
        None if second is None else scale.sits(second),
        scale.confidence(best, margin),
    )


@dataclass(frozen=True)
class _Term:
    """One measured dimension in whole numbers of the scale's smallest step: what a step of it counts, the body as the liked
    fit moves it, and each size's range."""

    counts: int
    body: int
    ranges: tuple[tuple[int, int], ...]

    def misfit(self, place: int) -> int:
        """What a size loses."""
        lower, upper = self.ranges[place]
        return self.counts * (TIGHT_COUNTS * max(self.body - upper, 0) + max(lower - self.body, 0))

    def off_centre(self, place: int) -> int:
        """Twice how far the body is from a size's middle."""
        return self.counts * abs(2 * self.body - sum(self.ranges[place]))


class _Scale:
    """A body against a chart. Sums are of whole numbers, exact as fractions are, in a third of their time."""

    def __init__(self, sizes: Sequence[Size], body: Mapping[str, Measured], fit: Fit, known: str | None) -> None:
        self._sizes, self._body = sizes, body
        dimensions = tuple(sizes[0].ranges)
        self._weights = {name: FIRST_COUNTS if place == 0 else 1 for place, name in enumerate(dimensions)}
        self.compared = tuple(name for name in dimensions if name in body)
        self._grades = {name: _grade([size.ranges[name] for size in sizes]) for name in self.compared}
        self._terms, self._whole = self._in_whole_numbers(SHIFTS[fit])
        self.known = next((place for place, size in enumerate(sizes) if size.label == known), None)

    def _in_whole_numbers(self, shift: Fraction) -> tuple[list[_Term], int]:
        """The terms, and how many of their smallest steps make a loss of one grade."""
        counts = {name: self._weights[name] / self._grades[name] for name in self.compared}
        bodies = {
            name: self._body[name].length + (shift * self._grades[name] if DIMENSIONS[name].girth else 0)
            for name in self.compared
        }
        edges = [edge for size in self._sizes for name in self.compared for edge in _edges(size.ranges[name])]
        fine = lcm(*(length.denominator for length in (*edges, *bodies.values())))
        even = lcm(*(share.denominator for share in counts.values()))
        terms = [
            _Term(
                int(counts[name] * even), int(bodies[name] * fine),
                tuple((int(size.ranges[name].lower * fine), int(size.ranges[name].upper * fine)) for size in self._sizes),
            )
            for name in self.compared
        ]  # fmt: skip
        return terms, even * fine * (sum(self._weights[name] for name in self.compared) or 1)

    def loss(self, place: int) -> Fraction:
        """What a size loses, in grades."""
        away = 0 if self.known is None else abs(place - self.known)
        return self._misfit(place) + AWAY_FROM_KNOWN * away

    def off_centre(self, place: int) -> int:
        """How far the body is from the middle of a size; to be compared with that of another size of this scale."""
        return sum(term.off_centre(place) for term in self._terms)

    def sits(self, place: int) -> SizeFit:
        """How a size sits on the body as it is, whatever fit is liked."""
        size = self._sizes[place]
        return SizeFit(size.label, tuple(self._dimension(name, size.ranges[name]) for name in self.compared))

    def confidence(self, place: int, margin: Fraction) -> float:
        """How sure it is that this size is the best."""
        trust = sum(self._weights[name] * _trust(name, self._body[name]) for name in self.compared)
        evidence = trust / sum(self._weights.values())
        if self.known is not None:
            evidence = 1 - (1 - evidence) * (1 - KNOWN_SIZE_TRUST)
        closeness = 1 / (1 + float(self._misfit(place)))
        return evidence * closeness * (0.5 + 0.5 * min(1.0, 2 * float(margin)))

    def _misfit(self, place: int) -> Fraction:
        return Fraction(sum(term.misfit(place) for term in self._terms), self._whole)

    def _dimension(self, name: str, range_: Range) -> DimensionFit:
        body = self._body[name].length
        over, under = body - range_.upper, range_.lower - body
        difference = over if over > 0 else -under if under > 0 else Fraction(0)
        return DimensionFit(name, _verdict(difference / self._grades[name]), difference, range_, body)


def _edges(range_: Range) -> tuple[Fraction, Fraction]:
    return range_.lower, range_.upper


def _verdict(grades: Fraction) -> Verdict:
    """From by how many grades the body is larger than the range."""
    if grades > 0:
        return "snug" if grades <= HALF else "too_tight"
    if grades < 0:
        return "loose" if grades >= -HALF else "too_loose"
    return "ideal"


def _trust(dimension: str, measured: Measured) -> float:
    halves = GIRTH_HALVES_DAYS if DIMENSIONS[dimension].girth else LENGTH_HALVES_DAYS
    return float(measured.confidence * 2 ** (-max(measured.days, 0.0) / halves))


def _grade(ranges: Sequence[Range]) -> Fraction:
    """The mean step between neighbouring sizes that differ; of one size its width, or a twenty-fifth of its middle."""
    middles = [(told.lower + told.upper) / 2 for told in ranges]
    steps = [step for one, two in pairwise(middles) if (step := abs(two - one))]
    if steps:
        return sum(steps, Fraction(0)) / len(steps)
    return (ranges[0].upper - ranges[0].lower) or middles[0] / 25
