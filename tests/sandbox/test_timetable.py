"""When a schedule comes round next."""

from datetime import UTC, datetime

import pytest

from app.sandbox.controllers import timetable

NOW = datetime(2026, 2, 27, 10, 30, 15, tzinfo=UTC)
"""A Friday."""


@pytest.mark.parametrize(
    ("schedule", "zone", "expected"),
    [
        ("* * * * *", None, "2026-02-27T10:31:00"),
        ("*/20 * * * *", None, "2026-02-27T10:40:00"),
        ("30 10 * * *", None, "2026-02-28T10:30:00"),
        ("0 0 1 * *", None, "2026-03-01T00:00:00"),
        ("0 0 * * MON", None, "2026-03-02T00:00:00"),
        ("0 0 13 * FRI", None, "2026-03-06T00:00:00"),
        ("0 9-17/4 * jan-mar *", None, "2026-02-27T13:00:00"),
        ("5/30 * * * ?", None, "2026-02-27T10:35:00"),
        ("@daily", None, "2026-02-28T00:00:00"),
        ("@yearly", None, "2027-01-01T00:00:00"),
        ("@every 1h30m", None, "2026-02-27T12:00:15"),
        ("0 12 * * *", "Europe/Vienna", "2026-02-27T11:00:00"),
        ("0 0 29 2 *", None, "2028-02-29T00:00:00"),
    ],
)
def test_comes_round(schedule: str, zone: str | None, expected: str) -> None:
    found = timetable.after(schedule, NOW, zone)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_some_never_do() -> None:
    assert timetable.after("0 0 31 2 *", NOW, None) is None
