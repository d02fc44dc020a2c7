"""Cron schedules as the CronJob controller reads them: five fields, or a descriptor.

Weekdays are 0 to 6, steps are numbers, ranges don't wrap, and a time zone is not part of the
schedule. What a schedule *means* follows too: a day of month and a weekday that are both
restricted match when either does.
"""

import re
from dataclasses import dataclass

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_WEEKDAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ITEM = re.compile(r"(\*|\?|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:/([0-9]{1,4}))?")
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = re.compile(r"@every (?:[0-9]{1,6}h)?(?:[0-9]{1,6}m)?(?:[0-9]{1,6}s)?")


@dataclass(frozen=True, slots=True)
class Field:
    """One of the five fields: its name, its range, and the words it knows."""

    name: str
    low: int
    high: int
    words: dict[str, int]

    def parse(self, text: str) -> tuple[frozenset[int], bool, bool]:
        """The values that match, whether all do, whether a step is too long. Raises ValueError."""
        values: set[int] = set()
        star = oversteps = False
        for item in text.split(","):
            match = _ITEM.fullmatch(item)
            if match is None:
                raise ValueError(
                    f"{self.name} {text!r}: write numbers from {self.low} to {self.high}, ranges "
                    f"(1-5), steps (*/10), lists (1,15) or *"
                )
            whole, first, last, step_text = match.groups()
            step = int(step_text) if step_text is not None else 1
            if step == 0:
                raise ValueError(f"{self.name} {text!r}: the step must be greater than 0")
            if whole in {"*", "?"}:
                start, end = self.low, self.high
                star = star or step == 1
            else:
                start = self._value(first)
                end = self._value(last) if last else (self.high if step_text else start)
            if end < start:
                raise ValueError(f"{self.name} {text!r}: a range runs from low to high")
            oversteps = oversteps or (step > 1 and step > end - start + 1)
            values.update(range(start, end + 1, step))
        return frozenset(values), star, oversteps

    def _value(self, text: str) -> int:
        value = self.words.get(text, int(text) if text.isdigit() else -1)
        if not self.low <= value <= self.high:
            raise ValueError(f"{self.name} {text!r}: allowed is {self.low} to {self.high}")
        return value


_FIELDS = (
    Field("minute", 0, 59, {}),
    Field("hour", 0, 23, {}),
    Field("day of month", 1, 31, {}),
    Field("month", 1, 12, _MONTHS),
    Field("weekday", 0, 6, _WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a schedule fires; `every` is its text when it is an interval (`@every 5m`)."""

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    any_day: bool = True
    any_weekday: bool = True
    every: str | None = None
    oversteps: tuple[str, ...] = ()
    """The fields whose step is longer than their range: `*/90` in minutes is hourly."""

    @property
    def ever_fires(self) -> bool:
        """False for a day that its months never have, such as 30 February."""
        if self.every is not None or self.any_day or not self.any_weekday:
            return True
        longest = max(_DAYS_IN_MONTH[month - 1] for month in self.months)
        return min(self.days) <= longest


def parse(text: str) -> Schedule:
    """The schedule that `text` spells. Raises ValueError with a sentence on what to write."""
    if "TZ" in text.upper():
        raise ValueError("leave the time zone out of the schedule and set timeZone")
    if text.startswith("@"):
        if text in _DESCRIPTORS:
            return parse(_DESCRIPTORS[text])
        if _EVERY.fullmatch(text) and any(digit in text for digit in "123456789"):
            return Schedule(every=text.removeprefix("@every "))
        names = ", ".join(_DESCRIPTORS)
        raise ValueError(f"use one of {names}, @every 1h30m, or five fields")
    parts = text.lower().split()
    if len(parts) != 5:
        raise ValueError(
            f"a schedule has five fields (minute, hour, day of month, month, weekday), "
            f"not {len(parts)}"
        )
    parsed = [field.parse(part) for field, part in zip(_FIELDS, parts, strict=True)]
    minutes, hours, days, months, weekdays = (values for values, _, _ in parsed)
    return Schedule(
        minutes,
        hours,
        days,
        months,
        weekdays,
        any_day=parsed[2][1],
        any_weekday=parsed[4][1],
        oversteps=tuple(
            field.name for field, (_, _, over) in zip(_FIELDS, parsed, strict=True) if over
        ),
    )
