"""When a schedule comes round next, as robfig/cron reads it. It has been found valid before."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_NAMES = {
    name: str(number)
    for names, first in (
        ("jan feb mar apr may jun jul aug sep oct nov dec", 1),
        ("sun mon tue wed thu fri sat", 0),
    )
    for number, name in enumerate(names.split(), first)
}
_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_YEARS = 5


def after(schedule: str, moment: datetime, zone: str | None) -> datetime | None:
    """The next time after a moment, in UTC; None: not within five years."""
    if schedule.startswith("@every "):
        parts = re.findall(r"([0-9.]+)(ms|h|m|s)", schedule)
        seconds = max(sum(float(number) * _UNITS[unit] for number, unit in parts), 1.0)
        return moment.replace(microsecond=0) + timedelta(seconds=seconds)
    fields = _WORDS.get(schedule, schedule).lower().split()
    minutes, hours, days, months, weekdays = (
        _numbers(field, *range_) for field, range_ in zip(fields, _RANGES, strict=True)
    )
    # Where one of the two is a star the other decides, else either is enough.
    any_day, any_weekday = (fields[i].startswith(("*", "?")) for i in (2, 4))
    local = ZoneInfo(zone) if zone else UTC
    start = moment.astimezone(local).replace(second=0, microsecond=0, tzinfo=None)
    start += timedelta(minutes=1)
    for offset in range(366 * _YEARS):
        day = start.date() + timedelta(days=offset)
        fits = (day.day in days, (day.weekday() + 1) % 7 in weekdays)
        if day.month not in months:
            continue
        if not (all(fits) if any_day or any_weekday else any(fits)):
            continue
        for hour in sorted(hours):
            for minute in sorted(minutes):
                found = datetime(day.year, day.month, day.day, hour, minute)
                if found >= start:
                    return found.replace(tzinfo=local).astimezone(UTC)
    return None


def _numbers(field: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if first in ("*", "?"):
            begin, end = low, high
        else:
            begin = int(_NAMES.get(first, first))
            end = int(_NAMES.get(last, last)) if last else (high if step else begin)
        found |= set(range(begin, end + 1, int(step) if step else 1))
    return found
