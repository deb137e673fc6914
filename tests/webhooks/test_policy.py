"""When to try again."""

from datetime import UTC, datetime
from random import Random
from time import time

import pytest
from ulid import ULID

from db.ids import made_at, new_id
from webhooks.policy import LONGEST_WAIT, Schedule, outcome_of, parse_schedule, retry_after, throttles

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def test_the_schedule_is_the_promised_one_spread_by_a_fifth():
    random = Random(1)
    slots = [[Schedule().wait(tried, None, random) or 0.0 for _ in range(500)] for tried in range(1, 8)]
    for seconds, found in zip((5, 300, 1800, 7200, 18000, 36000, 36000), slots, strict=True):
        assert seconds * 0.8 <= min(found) < seconds * 0.83
        assert seconds * 1.17 < max(found) <= seconds * 1.2
    assert Schedule().wait(8, None, random) is None


def test_a_receiver_may_ask_for_later_but_not_for_never():
    assert Schedule().wait(1, 120, Random(1)) == 120
    assert (Schedule().wait(2, 3, Random(1)) or 0) > 200
    assert Schedule().wait(1, 1e9, Random(1)) == LONGEST_WAIT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("Mon, 23 Nov 2026 09:31:00 GMT", 60), ("Mon, 23 Nov 2026 09:00:00 GMT", 0), ("soon", None)]  # noqa: RUF005 - two lines
    + [("", None), ("-5", None), ("1.5", None), ("²", None), ("Mon, 23 Nov 2026 09:31:00", None)],
)
def test_retry_after_in_both_its_forms(value, seconds):
    assert retry_after({"retry-after": value}, NOW) == seconds


def test_statuses():
    assert [outcome_of(status) for status in (200, 204, 299)] == ["delivered"] * 3
    assert [outcome_of(status) for status in (301, 308, 400, 404, 500)] == ["refused"] * 5
    assert outcome_of(410) == "gone"
    assert [status for status in (429, 500, 502, 503, 504, None) if throttles(status)] == [429, 502, 504]


def test_schedules_are_read_from_settings():
    assert parse_schedule("0,5,300").seconds == (0, 5, 300)
    for wrong in ("", "a", "-1", "1,,2", "nan", "1e99"):
        with pytest.raises(ValueError, match=r"."):
            parse_schedule(wrong)


def test_an_id_says_when_it_was_made():
    assert abs(made_at(new_id("evt")) - time()) < 1
    assert made_at("evt_01JD3T8Q5YB9N7K0V2M4XWZC6R") == ULID.from_str("01JD3T8Q5YB9N7K0V2M4XWZC6R").timestamp
