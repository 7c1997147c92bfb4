"""Fire times of a cron line in a time zone: the same on every replica, whenever it began to look.

A line with fixed hours goes by the clock on the wall: a repeated hour counts once, the first time, and a time that
the clocks skip is kept as far after midnight as on other days. With `*` in the hours every elapsed hour counts.
"""

import re
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from tzlocal import get_localzone

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WEEKDAY = re.compile(r"(?P<first>\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?")
_LEAP_YEARS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2009, 1, 1, tzinfo=UTC))
_AROUND = timedelta(hours=3)  # clocks are set by less
_TICK = timedelta(microseconds=1)


class Cron:
    """The five fields minute, hour, day, month, weekday (0 and 7 are Sunday), seen in `zone`.

    Where day and weekday are both given, either will do. Raises ValueError for a field out of range, and for a plan
    whose time never comes.
    """

    def __init__(self, text: str, zone: tzinfo) -> None:
        fields = text.split()
        if len(fields) != 5:
            raise ValueError(f"{text!r} has {len(fields)} fields, not 5")
        self.text = " ".join(fields)
        self.zone = zone
        self._by_wall = not fields[1].startswith("*")
        self._calendar = _calendar(fields)
        begin, end = _LEAP_YEARS
        if _calendar(fields, end=end).get_next_fire_time(None, begin) is None:
            raise ValueError(f"the time {text!r} never comes")

    def next(self, after: datetime) -> datetime:
        """The first fire time later than `after`, in UTC."""
        wall = self._wall(after)
        found: list[datetime] = []
        for first in self._walls(wall - self._blur(wall)):
            found = self._later(first, after)
            if found:
                break
        near = takewhile(lambda wall: wall <= first + self._blur(first), self._walls(first + _TICK))
        return min([*found, *(at for wall in near for at in self._later(wall, after))])

    def name(self, fire: datetime) -> str:
        """What tells a fire time from all others of this plan."""
        if self._by_wall:
            return f"{self._wall(fire):%Y-%m-%dT%H:%M}"
        return f"{fire.astimezone(UTC):%Y-%m-%dT%H:%MZ}"

    def _wall(self, at: datetime) -> datetime:
        return at.astimezone(self.zone).replace(tzinfo=None)

    def _walls(self, begin: datetime) -> Iterator[datetime]:
        """The times on the clock from `begin` on; a calendar alone, to which no clock is ever set."""
        at = begin.replace(tzinfo=UTC)
        while True:
            at = self._calendar.get_next_fire_time(None, at)
            yield at.replace(tzinfo=None)
            at += _TICK

    def _later(self, wall: datetime, after: datetime) -> list[datetime]:
        """When the clock shows `wall`, of the times later than `after`."""
        both = [wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        shown = both[:1] if self._by_wall else [at for at in both if self._wall(at) == wall]
        return [at for at in shown if at > after]

    def _blur(self, wall: datetime) -> timedelta:
        """How far the order of instants may differ from that on the clock, around `wall`."""
        before, later = ((wall + by).replace(tzinfo=self.zone).utcoffset() or timedelta() for by in (-_AROUND, _AROUND))
        return abs(later - before)


def local_zone(name: str | None = None) -> tzinfo:
    """The zone of that name, else this computer's. Raises ValueError where there is none."""
    if name is not None:
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is no time zone such as Europe/Berlin or Asia/Shanghai") from error
    with warnings.catch_warnings():  # where none is set, it warns and takes UTC
        warnings.simplefilter("ignore")
        zone: tzinfo = get_localzone()
    return zone


def _calendar(fields: list[str], *, end: datetime | None = None) -> Any:
    minute, hour, day, month, weekday = fields
    week = _week(weekday)
    given = {"minute": minute, "hour": hour, "month": month, "timezone": UTC, "end_date": end}
    if day.startswith("*") or weekday.startswith("*"):
        return CronTrigger(day=day, day_of_week=week, **given)
    return OrTrigger([CronTrigger(day=day, **given), CronTrigger(day_of_week=week, **given)])


def _week(field: str) -> str:
    """Weekdays by name: the library begins its week on Monday."""
    days: set[int] = set()
    for part in field.lower().replace("*", "0-6").split(","):
        found = _WEEKDAY.fullmatch(part)
        if found is None:
            raise ValueError(f"{part!r} is no weekday")
        first = _weekday(found["first"])
        last = _weekday(found["last"]) if found["last"] else 6 if found["step"] else first
        step = int(found["step"] or 1)
        if last < first:
            last += 7
        if step == 0:
            raise ValueError(f"{part!r} goes nowhere")
        days.update(day % 7 for day in range(first, last + 1, step))
    return ",".join(_WEEKDAYS[day] for day in sorted(days))


def _weekday(text: str) -> int:
    if text in _WEEKDAYS:
        return _WEEKDAYS.index(text)
    if text.isdecimal() and int(text) <= 7:
        return int(text)
    raise ValueError(f"{text!r} is no weekday")
