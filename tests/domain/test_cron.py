import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import cron


def test_fields() -> None:
    schedule = cron.parse("*/20 9-11 1,15 jan-MAR/2 mon")
    assert schedule.minutes == {0, 20, 40}
    assert schedule.hours == {9, 10, 11}
    assert schedule.days == {1, 15}
    assert schedule.months == {1, 3}
    assert schedule.weekdays == {1}
    assert (schedule.any_day, schedule.any_weekday) == (False, False)


def test_a_start_with_a_step_runs_to_the_end() -> None:
    assert cron.parse("50/4 * * * *").minutes == {50, 54, 58}


def test_a_question_mark_is_a_star() -> None:
    assert cron.parse("0 0 ? * ?").any_day


@pytest.mark.parametrize(
    "text",
    [
        "@yearly",
        "@annually",
        "@monthly",
        "@weekly",
        "@daily",
        "@midnight",
        "@hourly",
        "@every 5m",
        "@every 1h30m",
        "0 2 * * *",
        "59 23 31 12 6",
        "0 0 1 1 0",
        "*/61 * * * *",
        "0  0\t* * *",
        "0 0 29 2 *",
        "0 0 30 2 mon",
        "0 0 */31 2 *",
    ],
)
def test_fires(text: str) -> None:
    assert cron.parse(text).ever_fires


@pytest.mark.parametrize("text", ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 2 ?", "0 0 30/1 2 *"])
def test_never_fires(text: str) -> None:
    assert not cron.parse(text).ever_fires


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("*/90 * * * *", ("minute",)),
        ("*/60 */24 */31 */12 */7", ()),
        ("0-9/11,30 0 * * *", ("minute",)),
        ("0 9-17/10 1/40 * *", ("hour", "day of month")),
        ("5 5 5 5 5", ()),
        ("5/1 * * * *", ()),
    ],
)
def test_a_step_longer_than_its_range(text: str, fields: tuple[str, ...]) -> None:
    assert cron.parse(text).oversteps == fields


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "five fields (minute, hour, day of month, month, weekday), not 0"),
        ("* * * *", "not 4"),
        ("0 * * * * *", "not 6"),
        ("60 * * * *", "minute '60': allowed is 0 to 59"),
        ("* 24 * * *", "hour '24': allowed is 0 to 23"),
        ("* * 0 * *", "day of month '0': allowed is 1 to 31"),
        ("* * 32 * *", "allowed is 1 to 31"),
        ("* * * 13 *", "month '13': allowed is 1 to 12"),
        ("* * * * 7", "weekday '7': allowed is 0 to 6"),
        ("* * * * fri-mon", "a range runs from low to high"),
        ("*/0 * * * *", "the step must be greater than 0"),
        ("*/jan * * * *", "minute '*/jan'"),
        ("* * L * *", "day of month 'l'"),
        ("* * * * 5#2", "weekday '5#2'"),
        ("1,,2 * * * *", "minute '1,,2'"),
        ("*-5 * * * *", "minute '*-5'"),
        ("+5 * * * *", "minute '+5'"),
        ("jan * * * *", "minute 'jan': allowed is 0 to 59"),
        ("٣ * * * *", "minute '٣'"),
        ("CRON_TZ=UTC 0 0 * * *", "set timeZone"),
        ("TZ=Europe/Berlin 0 0 * * *", "set timeZone"),
        ("@reboot", "use one of @yearly"),
        ("@Daily", "use one of @yearly"),
        ("@every", "@every 1h30m"),
        ("@every 0s", "@every 1h30m"),
        ("@every -5m", "@every 1h30m"),
        ("@every 5", "@every 1h30m"),
    ],
)
def test_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        cron.parse(text)


@given(st.text(alphabet="0123456789*/,-? jan@every", max_size=40))
def test_any_text_is_answered(text: str) -> None:
    try:
        schedule = cron.parse(text)
    except ValueError:
        return
    assert schedule.ever_fires in {True, False}
