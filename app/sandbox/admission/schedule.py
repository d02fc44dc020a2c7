"""Cron schedules as robfig/cron's `ParseStandard` reads them, which CronJobs are checked with."""

import re
import zoneinfo

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: i + 1 for i, name in enumerate(_MONTHS)}),
    (0, 6, {name: i for i, name in enumerate(_DAYS)}),
)
DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_DURATION = re.compile(r"@every ([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+")


class ScheduleError(ValueError):
    """Not a schedule; str() says why."""


def mistake(text: str) -> str | None:
    """Why a schedule is none, or None."""
    if not text:
        return "empty spec string"
    if text.startswith("@") and text not in DESCRIPTORS:
        return None if _DURATION.fullmatch(text) else f"unrecognized descriptor: {text}"
    try:
        numbers(text)
    except ScheduleError as error:
        return str(error)
    return None


def numbers(text: str) -> list[set[int]]:
    """The minutes, hours, days, months and weekdays (0 is Sunday) of five fields."""
    fields = DESCRIPTORS.get(text, text).split()
    if len(fields) != 5:
        listed = " ".join(fields)
        raise ScheduleError(f"expected exactly 5 fields, found {len(fields)}: [{listed}]")
    return [
        {number for part in field.split(",") for number in _part(part, *limits)}
        for field, limits in zip(fields, _FIELDS, strict=True)
    ]


def _part(part: str, low: int, high: int, words: dict[str, int]) -> range:
    span, slash, step = part.partition("/")
    if slash and (not re.fullmatch(r"[0-9]{1,9}", step) or int(step) == 0):
        raise ScheduleError(f"failed to parse step: {part}")
    by = int(step or 1)
    if span in ("*", "?"):
        return range(low, high + 1, by)
    ends = span.split("-")
    if len(ends) > 2:
        raise ScheduleError(f"too many hyphens: {part}")
    found = []
    for end in ends:
        number = words.get(end.lower(), int(end) if re.fullmatch(r"[0-9]{1,9}", end) else None)
        if number is None:
            raise ScheduleError(f"failed to parse int from {end}: {part}")
        found.append(number)
    first, last = found[0], high if slash and len(found) == 1 else found[-1]
    if first < low:
        raise ScheduleError(f"beginning of range ({first}) below minimum ({low}): {part}")
    if last > high:
        raise ScheduleError(f"end of range ({last}) above maximum ({high}): {part}")
    if first > last:
        raise ScheduleError(f"beginning of range ({first}) beyond end of range ({last}): {part}")
    return range(first, last + 1, by)


def zone(name: str) -> str | None:
    """Why a time zone is none, or None."""
    if not name:
        return "timeZone must be nil or non-empty string"
    if name.lower() == "local":
        return "timeZone must be an explicit time zone as defined in the IANA database"
    if not re.fullmatch(r"[A-Za-z0-9._+-]{1,14}(/[A-Za-z0-9._+-]{1,14})*", name):
        return f"unknown time zone {name}"
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return f"unknown time zone {name}"
    return None
