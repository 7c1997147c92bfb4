"""One run of a job at one fire time, by whichever replica is first."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.errors import StoreUnavailable
from bot.jobs.job import Job
from bot.ports import Jobs

RETRY = timedelta(seconds=2)

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    jobs: Jobs
    holder: str
    now: Callable[[], datetime]

    async def run(self, job: Job, fire: str, *, until: datetime) -> None:
        """Run the job unless another replica does or did. Tries until then where the database does not answer."""
        while True:
            try:
                is_mine = await self.jobs.begin(job.name, fire, holder=self.holder, lease=job.lease)
                break
            except StoreUnavailable as error:
                if self.now() >= until:
                    log.error("a job was missed", job=job.name, fire=fire, error=str(error))  # noqa: TRY400 - said in one line
                    return
            await asyncio.sleep(RETRY.total_seconds())
        if is_mine:
            await self._work(job, fire)

    async def _work(self, job: Job, fire: str) -> None:
        try:
            error = await self._try(job, fire)
            await self.jobs.finish(job.name, fire, holder=self.holder, error=error)
        except StoreUnavailable as unavailable:  # the run is taken over when its lease is past
            log.warning("a job waits for the database", job=job.name, fire=fire, error=str(unavailable))

    async def _try(self, job: Job, fire: str) -> str | None:
        """What went wrong; None where it went well."""
        try:
            async with asyncio.timeout(job.lease.total_seconds()):
                await job.work(fire)
        except StoreUnavailable:
            raise
        except TimeoutError:
            error = f"it took longer than {job.lease.total_seconds():g} s"
        except Exception as fault:  # noqa: BLE001 - a job's fault ends its run and nothing else
            error = str(fault) or type(fault).__name__
        else:
            return None
        log.error("a job failed", job=job.name, fire=fire, error=error)
        return error

    async def give_up(self, job: str, fire: str) -> None:
        """Close a run that nobody finished for too long."""
        if await self.jobs.begin(job, fire, holder=self.holder, lease=RETRY):
            await self.jobs.finish(job, fire, holder=self.holder, error="nobody finished it in time")
