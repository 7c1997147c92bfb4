"""Fire times: by the clock on the wall over daylight saving, and the same for every replica."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cron import Cron, local_zone

# When the clocks of these zones are set, and one where they never are.
CHANGES = st.sampled_from(
    [
        ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),  # by half an hour
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
        ("Asia/Kolkata", datetime(2026, 6, 1, tzinfo=UTC)),
    ]
)
HOURS = st.one_of(
    st.just("*"),
    st.integers(2, 4).map(lambda step: f"*/{step}"),
    st.lists(st.integers(0, 23), min_size=1, max_size=4).map(lambda hours: ",".join(map(str, hours))),
    st.tuples(st.integers(0, 11), st.integers(12, 23)).map(lambda ends: f"{ends[0]}-{ends[1]}"),
)
MINUTES = st.lists(st.integers(0, 59), min_size=1, max_size=3).map(lambda minutes: ",".join(map(str, minutes)))
MINUTE = timedelta(minutes=1)


def fires(cron: Cron, begin: datetime, end: datetime) -> list[datetime]:
    """The fire times after `begin` up to `end`."""
    found: list[datetime] = []
    while (begin := cron.next(begin)) <= end:
        found.append(begin)
    return found


def on_the_clock(text: str, zone: str, day: str, *, days: int = 1) -> list[str]:
    """The fire times of a day in UTC."""
    begin = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    cron = Cron(text, begin.tzinfo or UTC)
    found = fires(cron, begin.astimezone(UTC) - MINUTE, (begin + timedelta(days=days)).astimezone(UTC) - MINUTE)
    return [f"{at:%H:%M}" for at in found]


def hours_of(text: str) -> set[int]:
    if text.startswith("*"):
        return set(range(0, 24, int(text[2:] or 1)))
    first, dash, last = text.partition("-")
    return set(range(int(first), int(last) + 1)) if dash else {int(hour) for hour in text.split(",")}


def seen_on_the_wall(at: datetime, zone: ZoneInfo, *, fixed: bool) -> list[datetime]:
    """What the clock shows at an instant, and the skipped time that falls on it; nothing in a repeated hour."""
    wall = at.astimezone(zone)
    shown = [wall.replace(tzinfo=None, fold=0)] if not (fixed and wall.fold) else []
    unset = at.replace(tzinfo=None) + ((at - timedelta(hours=3)).astimezone(zone).utcoffset() or timedelta())
    is_skipped = unset.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != unset
    return [*shown, unset] if fixed and is_skipped else shown


@settings(deadline=None)
@given(minutes=MINUTES, hours=HOURS, change=CHANGES, early=st.integers(0, 400))
def test_fire_times_are_those_a_watcher_of_the_clock_would_find_wherever_it_begins(
    minutes: str, hours: str, change: tuple[str, datetime], early: int
) -> None:
    zone = ZoneInfo(change[0])
    cron = Cron(f"{minutes} {hours} * * *", zone)
    begin = change[1] - early * MINUTE
    watched = [begin + step * MINUTE for step in range(1, 601)]
    expected = [
        at
        for at in watched
        if any(
            wall.hour in hours_of(hours) and str(wall.minute) in minutes.split(",")
            for wall in seen_on_the_wall(at, zone, fixed=not hours.startswith("*"))
        )
    ]
    found = fires(cron, begin, watched[-1])
    assert found == expected
    assert len({cron.name(at) for at in found}) == len(found)


@pytest.mark.parametrize(
    ("text", "zone", "day", "expected"),
    [
        ("30 2 * * *", "Europe/Berlin", "2026-10-25", ["00:30"]),
        ("30 2 * * *", "Europe/Berlin", "2026-03-29", ["01:30"]),  # 03:30, for there is no 02:30
        ("30 1 * * *", "America/New_York", "2026-11-01", ["05:30"]),
        ("30 2 * * *", "America/New_York", "2026-03-08", ["07:30"]),
        ("30 2,3 * * *", "Europe/Berlin", "2026-03-29", ["01:30"]),
        ("*/20 2 * * *", "Europe/Berlin", "2026-03-29", ["01:00", "01:20", "01:40"]),
        ("*/20 2 * * *", "Europe/Berlin", "2026-10-25", ["00:00", "00:20", "00:40"]),
        ("0 9 * * *", "Europe/Berlin", "2026-10-25", ["08:00"]),
    ],
)
def test_fixed_hours_go_by_the_wall_and_run_once_a_day(text: str, zone: str, day: str, expected: list[str]) -> None:
    assert on_the_clock(text, zone, day) == expected


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_with_any_hour_every_elapsed_hour_runs(day: str, hours: int) -> None:
    assert len(on_the_clock("30 * * * *", "Europe/Berlin", day)) == hours


def test_a_repeated_hour_has_one_name_on_the_wall_and_two_elsewhere() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert Cron("30 2 * * *", berlin).name(first) == "2026-10-25T02:30" == Cron("30 2 * * *", berlin).name(second)
    assert [Cron("30 * * * *", berlin).name(at) for at in (first, second)] == ["2026-10-25T00:30Z", "2026-10-25T01:30Z"]


@pytest.mark.parametrize(
    ("text", "weekdays"),
    [
        ("0 9 * * 1-5", "Mon Tue Wed Thu Fri"),
        ("0 9 * * 0", "Sun"),
        ("0 9 * * 7", "Sun"),
        ("0 9 * * 5-7", "Sun Fri Sat"),
        ("0 9 * * sat-mon", "Sun Mon Sat"),
        ("0 9 * * */2", "Sun Tue Thu Sat"),
        ("0 9 * * Mon,3", "Mon Wed"),
    ],
)
def test_weekdays_are_those_of_cron(text: str, weekdays: str) -> None:
    sunday = datetime(2026, 11, 22, tzinfo=UTC)
    found = fires(Cron(text, UTC), sunday, sunday + timedelta(days=7))
    assert " ".join(f"{at:%a}" for at in found) == weekdays


def test_a_day_and_a_weekday_together_mean_either() -> None:
    begin = datetime(2026, 11, 1, tzinfo=UTC) - MINUTE
    found = fires(Cron("0 9 13 * 5", UTC), begin, begin + timedelta(days=30))
    assert [at.day for at in found] == [6, 13, 20, 27]


@pytest.mark.parametrize("text", ["0 25 * * *", "60 0 * * *", "0 0 31 2 *", "0 0 * * 8", "0 0 0 * *", "0 0 ? * *", "*"])
def test_what_is_no_time_or_never_comes_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        Cron(text, UTC)


def test_the_twenty_ninth_of_february_comes() -> None:
    assert Cron("0 0 29 2 *", UTC).next(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2028, 2, 29, tzinfo=UTC)


def test_a_zone_is_known_by_its_name_or_refused() -> None:
    assert local_zone("Asia/Shanghai") == ZoneInfo("Asia/Shanghai")
    assert datetime.now(local_zone()).utcoffset() is not None
    for name in ("Europe/Berlni", "../etc/passwd", "", "Europe"):
        with pytest.raises(ValueError, match="no time zone"):
            local_zone(name)
