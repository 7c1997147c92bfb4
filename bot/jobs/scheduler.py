"""Plans the jobs on this replica and follows the personas. Whoever gets a run's row first does it."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import structlog
from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from bot.cron import Cron
from bot.errors import StoreUnavailable
from bot.jobs.job import Job
from bot.jobs.prompts import Posting, posts
from bot.jobs.runs import Runs
from bot.ports import Bus, Personas, Store

LATE = timedelta(minutes=10)
LOST = timedelta(hours=1)
LOOK_EVERY = timedelta(minutes=1)

log = structlog.stdlib.get_logger()


class Scheduler:
    """Runs `upkeep` and what the personas plan for the `channels` that are served here.

    A fire time that was missed by less than ten minutes is made up for: after a restart, a pause of the machine or a
    step of its clock; of several of one job only the last. `zone` is of plans that name none.
    """

    def __init__(
        self,
        *,
        store: Store,
        bus: Bus,
        personas: Personas,
        channels: Collection[str],
        upkeep: Sequence[Job],
        zone: tzinfo,
        holder: str,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._personas = personas
        self._channels = channels
        self._upkeep = tuple(upkeep)
        self._zone = zone
        self._now = now
        self._posting = Posting(store=store, bus=bus, now=now)
        self._runs = Runs(jobs=store.jobs, holder=holder, now=now)
        self._jobs: dict[str, Job] = {}
        self._unserved: set[str] = set()
        self._timer: Any = None
        self._seen = now()

    async def run(self) -> None:
        """Until cancelled; a run it leaves unfinished is taken over by another replica, or by this one later."""
        async with asyncio.TaskGroup() as group:

            def start(name: str, due: datetime) -> None:
                self._start(group, name, due)

            self._timer = AsyncIOScheduler(timezone=UTC, executors={"default": _HandOver(start)})
            self._timer.start()
            try:
                self._plan(since=self._now() - LATE)
                while True:
                    await self._take_over(group)
                    await asyncio.sleep(LOOK_EVERY.total_seconds())
                    self._look_at_the_clock()
            finally:
                self._timer.shutdown(wait=False)
                self._timer = None
                await asyncio.sleep(0)  # it stops in the loop's next round

    def refresh(self) -> None:
        """Follow the personas as they are now; jobs that stay keep their plan."""
        if self._timer is not None:
            self._plan(since=self._now())

    def _plan(self, *, since: datetime) -> None:
        wanted = {job.name: job for job in (*self._upkeep, *self._posts())}
        for name in self._jobs.keys() - wanted.keys():
            self._timer.remove_job(name)
        new = wanted.keys() - self._jobs.keys()
        self._jobs = wanted
        for name in sorted(new):
            self._add(wanted[name], since)

    def _add(self, job: Job, since: datetime) -> None:
        due = job.cron.next(since)
        self._timer.add_job(
            job.work,
            trigger=_Plan(job.cron),
            args=("",),
            id=job.name,
            next_run_time=due,
            coalesce=True,
            replace_existing=True,
        )

    def _posts(self) -> Iterator[Job]:
        for post in posts(self._personas.all(), self._zone):
            if post.to.channel in self._channels:
                yield self._posting.job(post)
            elif post.name not in self._unserved:
                self._unserved.add(post.name)
                log.warning("a schedule's channel is not served here", job=post.name, channel=post.to.channel)

    def _start(self, group: asyncio.TaskGroup, name: str, due: datetime) -> None:
        job = self._jobs.get(name)
        if job is None:
            return
        fire = job.cron.name(due)
        if due < self._now() - LATE:
            log.warning("a job was missed", job=name, fire=fire)
        else:
            group.create_task(self._runs.run(job, fire, until=due + LATE), name=f"job {name}")

    async def _take_over(self, group: asyncio.TaskGroup) -> None:
        """Do what others began and left; what is left for too long is closed."""
        now = self._now()
        try:
            for run in await self._store.jobs.abandoned():
                job = self._jobs.get(run.job)
                if run.started_at < now - LOST:
                    await self._runs.give_up(run.job, run.fire)
                elif job is not None:
                    group.create_task(self._runs.run(job, run.fire, until=now), name=f"job {run.job}")
        except StoreUnavailable as error:
            log.warning("jobs left unfinished cannot be looked up", error=str(error))

    def _look_at_the_clock(self) -> None:
        """The timer sleeps by elapsed time. Where the clock was set, it looks again; back, and it plans anew."""
        now = self._now()
        if now < self._seen:
            for job in self._jobs.values():
                self._add(job, now)
        self._seen = now
        self._timer.wakeup()


class _Plan(BaseTrigger):  # type: ignore[misc] # the library is untyped
    def __init__(self, cron: Cron) -> None:
        self._cron = cron

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """After a long pause, only what is not too late to be made up for."""
        return self._cron.next(now if previous is None else max(previous, now - LATE))


class _HandOver(BaseExecutor):  # type: ignore[misc] # likewise
    """Tells which fire times are due. What runs then, and whether here, is no affair of the timer's."""

    def __init__(self, start: Callable[[str, datetime], None]) -> None:
        super().__init__()
        self._start = start

    def submit_job(self, job: Any, run_times: Sequence[datetime]) -> None:
        self._do_submit_job(job, run_times)

    def _do_submit_job(self, job: Any, run_times: Sequence[datetime]) -> None:
        for due in run_times:
            self._start(job.id, due)
