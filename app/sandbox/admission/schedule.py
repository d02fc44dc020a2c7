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
_DESCRIPTORS = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"]
_DURATION = re.compile(r"@every ([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+")


def mistake(text: str) -> str | None:
    """Why a schedule is none, or None."""
    if not text:
        return "empty spec string"
    if text.startswith("@"):
        if text in _DESCRIPTORS or _DURATION.fullmatch(text):
            return None
        return f"unrecognized descriptor: {text}"
    fields = text.split()
    if len(fields) != 5:
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    for field, (low, high, words) in zip(fields, _FIELDS, strict=True):
        for part in field.split(","):
            if why := _part(part, low, high, words):
                return why
    return None


def _part(  # noqa: PLR0911 - a line per mistake
    part: str, low: int, high: int, words: dict[str, int]
) -> str | None:
    span, slash, step = part.partition("/")
    if slash and (not re.fullmatch(r"[0-9]{1,9}", step) or int(step) == 0):
        return f"failed to parse step: {part}"
    if span in ("*", "?"):
        return None
    ends = span.split("-")
    if len(ends) > 2:
        return f"too many hyphens: {part}"
    numbers = []
    for end in ends:
        number = words.get(end.lower(), int(end) if re.fullmatch(r"[0-9]{1,9}", end) else None)
        if number is None:
            return f"failed to parse int from {end}: {part}"
        numbers.append(number)
    if numbers[0] < low:
        return f"beginning of range ({numbers[0]}) below minimum ({low}): {part}"
    if numbers[-1] > high:
        return f"end of range ({numbers[-1]}) above maximum ({high}): {part}"
    if numbers[0] > numbers[-1]:
        return f"beginning of range ({numbers[0]}) beyond end of range ({numbers[-1]}): {part}"
    return None


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
