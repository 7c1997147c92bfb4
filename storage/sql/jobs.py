"""Job runs: one row per job and fire time, so that one replica runs it."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, bindparam, delete, or_, select, update

from bot.types import JobRun
from storage.sql.database import Database
from storage.sql.models import job_runs
from storage.sql.prepared import Prepared
from storage.sql.rows import to_run

_FINISH = Prepared(
    update(job_runs)
    .where(
        job_runs.c.job == bindparam("of_job"),
        job_runs.c.fire == bindparam("of_fire"),
        job_runs.c.holder == bindparam("by"),
        job_runs.c.finished_at.is_(None),
    )
    .values(finished_at=bindparam("at"), error=bindparam("went_wrong"))
)
_ABANDONED = Prepared(
    select(job_runs)
    .where(job_runs.c.finished_at.is_(None), job_runs.c.lease_until <= bindparam("at"))
    .order_by(job_runs.c.started_at, job_runs.c.job, job_runs.c.fire)
    .limit(bindparam("most"))
)
_RECENT = Prepared(
    select(job_runs)
    .order_by(job_runs.c.started_at.desc(), job_runs.c.job.desc(), job_runs.c.fire.desc())
    .limit(bindparam("most"))
)
_PRUNE = Prepared(
    delete(job_runs).where(
        job_runs.c.started_at < bindparam("before"),
        or_(job_runs.c.finished_at.is_not(None), job_runs.c.lease_until <= bindparam("at")),
    )
)


class SqlJobs:
    """Nothing here needs the disk at once: what a power failure takes away is run again, and runs are idempotent."""

    def __init__(self, database: Database) -> None:
        self._database = database
        new = database.insert(job_runs)
        self._begin = Prepared(
            new.on_conflict_do_update(
                index_elements=[job_runs.c.job, job_runs.c.fire],
                set_={name: new.excluded[name] for name in ("holder", "lease_until")},
                where=and_(job_runs.c.finished_at.is_(None), job_runs.c.lease_until <= new.excluded.started_at),
            ).returning(job_runs.c.job),
            columns=("job", "fire", "holder", "started_at", "lease_until"),
        )

    async def begin(self, job: str, fire: str, *, holder: str, lease: timedelta) -> bool:
        """As in the port; a run taken again keeps the time when it was first begun."""

        def work(connection: Connection) -> bool:
            now = self._database.now(connection)
            until = now + lease.total_seconds()
            values = {"job": job, "fire": fire, "holder": holder, "started_at": now, "lease_until": until}
            return bool(self._begin(connection, values))

        return await self._database.write(work, durable=False)

    async def finish(self, job: str, fire: str, *, holder: str, error: str | None = None) -> None:
        def work(connection: Connection) -> None:
            mine = {"of_job": job, "of_fire": fire, "by": holder}
            _FINISH(connection, mine | {"at": self._database.now(connection), "went_wrong": error})

        await self._database.write(work, durable=False)

    async def abandoned(self, *, limit: int = 100) -> tuple[JobRun, ...]:
        def work(connection: Connection) -> tuple[JobRun, ...]:
            return tuple(map(to_run, _ABANDONED(connection, {"at": self._database.now(connection), "most": limit})))

        return await self._database.read(work)

    async def recent(self, *, limit: int = 100) -> tuple[JobRun, ...]:
        return await self._database.read(
            lambda connection: tuple(map(to_run, _RECENT(connection, {"most": limit}))),
        )

    async def prune(self, *, before: datetime) -> None:
        def work(connection: Connection) -> None:
            _PRUNE(connection, {"before": before.timestamp(), "at": self._database.now(connection)})

        await self._database.write(work, durable=False)
