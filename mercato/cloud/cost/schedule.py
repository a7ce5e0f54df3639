"""How often a month a schedule expression of AWS comes due."""

from __future__ import annotations

import re

from mercato.cloud.cost.usage import HOURS
from mercato.cloud.template import NotStatedError

#: As AWS counts a month, in days.
DAYS = HOURS / 24
_MINUTES_OF = {"minute": 1, "hour": 60, "day": 1440}
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ANY = ("*", "?")


def runs(expression: str) -> float:
    """Times a month of `rate(...)` or `cron(...)`.

    Raises:
        NotStatedError: it is neither.
    """
    if rate := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
        return HOURS * 60 / (int(rate[1]) * _MINUTES_OF[rate[2]])
    fields = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", expression)
    if fields is None:
        raise NotStatedError(f"its schedule {expression!r} is neither rate(...) nor cron(...).")
    minute, hour, day, _month, weekday, _year = fields.groups()
    days = DAYS
    if day not in _ANY:
        days = _times(day, 31)
    elif weekday not in _ANY:
        for number, name in enumerate(_WEEKDAYS, start=1):
            weekday = weekday.upper().replace(name, str(number))
        days = _times(weekday, 7) * DAYS / 7
    return _times(minute, 60) * _times(hour, 24) * days


def _times(field: str, length: int) -> float:
    """How many of `length` values a field of a cron expression stands for."""
    if field in _ANY:
        return length
    times = 0.0
    for part in field.split(","):
        start, _, step = part.partition("/")
        first, _, last = start.partition("-")
        if step:
            times += -(-(length - (int(first) if first.isdigit() else 0)) // int(step))
        elif last.isdigit() and first.isdigit():
            times += int(last) - int(first) + 1
        else:
            times += 1
    return times
