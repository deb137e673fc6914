"""The formula of size advice: what must hold for every chart and every body."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolvers.sizing import Advice, Measured, Range, Size, advise

NAMES = ("bust_girth", "waist_girth", "inside_leg_length")
FITS = st.sampled_from(["close", "regular", "loose"])
LABELS = ("XS", "S", "M", "L", "XL", "XXL")
KNOWN = st.sampled_from([None, "S", "L", "no size of this chart"])


@st.composite
def charts(draw: Any) -> list[Size]:
    """Two to six sizes in one to three dimensions, whose ranges rise; they may touch, overlap or leave gaps."""
    count, names = draw(st.integers(2, 6)), NAMES[: draw(st.integers(1, 3))]
    ranges: dict[str, list[Range]] = {}
    for name in names:
        lowers = sorted(draw(st.lists(st.integers(500, 1500), min_size=count, max_size=count)))
        uppers = sorted(lower + draw(st.integers(0, 120)) for lower in lowers)
        ranges[name] = [Range(Fraction(low), Fraction(high)) for low, high in zip(lowers, uppers, strict=True)]
    return [Size(LABELS[place], {name: ranges[name][place] for name in names}) for place in range(count)]


def bodies(least: int = 1) -> Any:
    return st.dictionaries(st.sampled_from(NAMES), st.integers(400, 1700), min_size=least)


def of(lengths: dict[str, int], factor: Fraction = Fraction(1), **more: Any) -> dict[str, Measured]:
    return {name: Measured(length * factor, **more) for name, length in lengths.items()}


def place_of(advice: Advice | None) -> int:
    assert advice is not None
    return LABELS.index(advice.best.label)


@settings(deadline=None)
@given(charts(), bodies(), bodies(0), FITS, KNOWN)
def test_a_larger_body_never_gets_a_smaller_size(chart, body, growth, fit, known) -> None:
    larger = {name: length + growth.get(name, 0) for name, length in body.items()}
    one, two = (advise(chart, of(lengths), fit=fit, known=known) for lengths in (body, larger))
    if one is not None:
        assert place_of(two) >= place_of(one)


@settings(deadline=None)
@given(charts(), bodies(), FITS, KNOWN, st.fractions(Fraction(1, 100), 100))
def test_the_unit_changes_nothing_but_its_numbers(chart, body, fit, known, factor) -> None:
    scaled = [Size(s.label, {n: Range(r.lower * factor, r.upper * factor) for n, r in s.ranges.items()}) for s in chart]
    one, two = advise(chart, of(body), fit=fit, known=known), advise(scaled, of(body, factor), fit=fit, known=known)
    assert (one is None) == (two is None)
    for left, right in zip(shown(one), shown(two), strict=True):
        assert left[:2] == right[:2]
        assert [(name, verdict, difference * factor) for name, verdict, difference in left[2]] == right[2]
    assert one is None or two is None or one.confidence == two.confidence


def shown(advice: Advice | None) -> list[Any]:
    fits = [] if advice is None else [advice.best, advice.runner_up]
    return [
        (fit.label, len(fit.dimensions), [(told.dimension, told.verdict, told.difference) for told in fit.dimensions])
        for fit in fits
        if fit is not None
    ]


@settings(deadline=None)
@given(charts(), bodies(), FITS, KNOWN, st.floats(0, 1), st.floats(0, 5000), st.floats(0, 5000))
def test_age_and_doubt_make_it_less_sure_and_never_another_size(chart, body, fit, known, doubt, days, more) -> None:
    fresh = advise(chart, of(body, days=days), fit=fit, known=known)
    old = advise(chart, of(body, days=days + more), fit=fit, known=known)
    doubted = advise(chart, of(body, days=days, confidence=doubt), fit=fit, known=known)
    if fresh is not None and old is not None and doubted is not None:
        assert old.confidence <= fresh.confidence <= 1
        assert 0 <= doubted.confidence <= fresh.confidence
        assert fresh.best == old.best == doubted.best
        assert fresh.runner_up == old.runner_up == doubted.runner_up


@settings(deadline=None)
@given(charts(), bodies())
def test_a_body_that_one_size_alone_is_made_for_gets_it(chart, body) -> None:
    def made_for(size: Size) -> bool:
        asked = [(length, size.ranges[name]) for name, length in body.items() if name in size.ranges]
        told = [range_.lower <= length <= range_.upper for length, range_ in asked]
        return bool(told) and all(told)

    fitting = [size.label for size in chart if made_for(size)]
    advice = advise(chart, of(body))
    if advice is not None and fitting:
        assert advice.best.label in fitting
        assert {told.verdict for told in advice.best.dimensions} == {"ideal"}
        assert {told.difference for told in advice.best.dimensions} == {0}


@settings(deadline=None)
@given(charts(), bodies(), FITS)
def test_a_known_size_draws_the_advice_towards_it_and_makes_it_surer_where_they_agree(chart, body, fit) -> None:
    alone = advise(chart, of(body), fit=fit)
    if alone is None:
        return
    agreed = advise(chart, of(body), fit=fit, known=alone.best.label)
    assert agreed is not None
    assert (agreed.best, agreed.confidence >= alone.confidence) == (alone.best, True)
    for known in chart:
        drawn, there = advise(chart, of(body), fit=fit, known=known.label), LABELS.index(known.label)
        assert abs(place_of(drawn) - there) <= abs(place_of(alone) - there)


TEE = [
    Size(label, {"bust_girth": Range(Fraction(low), Fraction(low + 40))})
    for label, low in (("S", 840), ("M", 880), ("L", 920))
]


@pytest.mark.parametrize(
    ("bust", "fit", "known", "best", "verdict", "confidence"),
    [
        (900, "regular", None, "M", "ideal", 1.0),
        (905, "regular", None, "M", "ideal", 0.875),  # L is three eighths of a grade away
        (920, "regular", None, "M", "ideal", 0.5),  # both fit
        (905, "loose", None, "L", "loose", 0.75),
        (895, "close", None, "S", "snug", 0.625),
        (900, "loose", None, "M", "ideal", 0.5),
        (1000, "regular", None, "L", "too_tight", 1 / 3),  # too tight counts twice
        (975, "regular", None, "L", "snug", 1 / 1.75),
        (820, "regular", None, "S", "loose", 1 / 1.5),
        (800, "regular", None, "S", "too_loose", 0.5),
        (920, "regular", "L", "L", "ideal", 0.75),
    ],
)
def test_advice_worked_out_by_hand(bust, fit, known, best, verdict, confidence) -> None:
    advice = advise(TEE, of({"bust_girth": bust}), fit=fit, known=known)
    assert advice is not None
    assert (advice.best.label, advice.best.dimensions[0].verdict) == (best, verdict)
    assert advice.confidence == pytest.approx(confidence)


def test_what_is_not_measured_makes_it_less_sure() -> None:
    ranges = {"bust_girth": Range(Fraction(880), Fraction(920)), "waist_girth": Range(Fraction(680), Fraction(720))}
    advice = advise([Size("M", ranges)], of({"waist_girth": 700}))
    assert advice is not None
    assert advice.runner_up is None
    assert advice.confidence == pytest.approx(1 / 3)  # the first dimension counts twice
    assert advise([Size("M", ranges)], {}) is None
    known = advise(TEE, {}, known="L")
    assert known is not None
    assert (known.best.label, len(known.best.dimensions)) == ("L", 0)
    assert known.confidence == pytest.approx(0.375)


def test_trust_halves_with_a_year_of_a_girth_and_five_of_a_length() -> None:
    girth = advise(TEE, of({"bust_girth": 900}, days=365.25))
    leg = [Size("M", {"inside_leg_length": Range(Fraction(780), Fraction(800))})]
    length = advise(leg, of({"inside_leg_length": 790}, days=5 * 365.25))
    for advice in (girth, length):
        assert advice is not None
        assert advice.confidence == pytest.approx(0.5)
