"""What Parley does for itself at fixed times."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta, tzinfo

from bot.cron import Cron
from bot.jobs.job import Job, Work
from bot.ports import Store

UPKEEP: Mapping[str, str] = {"retention": "30 3 * * *", "statistics": "7 * * * *", "summaries": "* * * * *"}
HOUR = timedelta(hours=1)
RECOUNTED = timedelta(days=30)

Chore = Callable[[], Awaitable[object]]


def upkeep(
    store: Store,
    *,
    zone: tzinfo,
    keep_runs: timedelta,
    now: Callable[[], datetime],
    forget_old: Chore,
    summarise: Chore,
) -> tuple[Job, ...]:
    """The built-in jobs. `forget_old` deletes what is past its time; `summarise` shortens memories."""

    async def retention(_: str) -> None:
        await store.jobs.prune(before=now() - keep_runs)
        await forget_old()

    async def statistics(_: str) -> None:
        await count(store, zone=zone, now=now())

    async def summaries(_: str) -> None:
        await summarise()

    works: dict[str, Work] = {"retention": retention, "statistics": statistics, "summaries": summaries}
    return tuple(Job(name=name, cron=Cron(UPKEEP[name], zone), work=work, lease=HOUR) for name, work in works.items())


async def count(store: Store, *, zone: tzinfo, now: datetime) -> None:
    """Count the days since the newest one counted, at most thirty, and today so far."""
    today = now.astimezone(zone).date()
    day = max(await store.statistics.newest() or today - RECOUNTED, today - RECOUNTED)
    while day <= today:
        await store.statistics.refresh(day, zone=zone)
        day += timedelta(days=1)
