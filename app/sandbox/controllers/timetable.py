"""When a schedule comes round next, as robfig/cron reads it. It has been found valid before."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.sandbox.admission import schedule as schedules

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_YEARS = 5


def after(schedule: str, moment: datetime, zone: str | None) -> datetime | None:
    """The next time after a moment, in UTC; None: not within five years."""
    if schedule.startswith("@every "):
        parts = re.findall(r"([0-9.]+)(ms|h|m|s)", schedule)
        seconds = max(sum(float(number) * _UNITS[unit] for number, unit in parts), 1.0)
        return moment.replace(microsecond=0) + timedelta(seconds=seconds)
    fields = schedules.DESCRIPTORS.get(schedule, schedule).split()
    minutes, hours, days, months, weekdays = schedules.numbers(schedule)
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
