"""What the runs of jobs keep to. Subclass `JobContract` and give it `clock` and `store` fixtures of one clock."""

import asyncio
from datetime import UTC, datetime, timedelta

from bot.ports import Jobs, Store
from tests.conformance.samples import LEASE, Clock

FIRE = "2026-10-25T01:30"


async def begin(jobs: Jobs, holder: str = "a", *, job: str = "nightly", fire: str = FIRE) -> bool:
    return await jobs.begin(job, fire, holder=holder, lease=LEASE)


async def one_of_many_runs_each_fire(store: Store, clock: Clock) -> None:
    """Many replicas at each fire time, some of which die in the middle: every run is finished by exactly one."""
    for number in range(50):
        fire = f"fire {number}"
        takers = await asyncio.gather(*(begin(store.jobs, f"replica {n}", fire=fire) for n in range(8)))
        assert sum(takers) == 1
        if number % 5 == 0:
            clock.pass_(LEASE)
            takers = await asyncio.gather(*(begin(store.jobs, f"heir {n}", fire=fire) for n in range(8)))
            assert sum(takers) == 1
            await store.jobs.finish("nightly", fire, holder=f"heir {takers.index(True)}")
        else:
            await store.jobs.finish("nightly", fire, holder=f"replica {takers.index(True)}")
        assert not any(await asyncio.gather(*(begin(store.jobs, fire=fire) for _ in range(3))))


class JobContract:
    async def test_of_many_replicas_one_runs_each_fire(self, store: Store, clock: Clock) -> None:
        await one_of_many_runs_each_fire(store, clock)

    async def test_fires_and_jobs_do_not_stand_in_each_other_s_way(self, store: Store) -> None:
        assert await begin(store.jobs)
        assert await begin(store.jobs, fire="2026-10-26T01:30")
        assert await begin(store.jobs, job="hourly")

    async def test_a_finished_run_is_never_taken_again(self, store: Store, clock: Clock) -> None:
        for fire, error in (("1", None), ("2", "it broke")):
            assert await begin(store.jobs, fire=fire)
            await store.jobs.finish("nightly", fire, holder="a", error=error)
            clock.pass_(timedelta(days=3))
            assert not await begin(store.jobs, fire=fire)
        assert await store.jobs.abandoned() == ()

    async def test_a_run_left_unfinished_is_taken_when_its_lease_is_over_and_not_before(
        self, store: Store, clock: Clock
    ) -> None:
        await begin(store.jobs, "a")
        clock.pass_(LEASE - timedelta(seconds=1))
        assert await store.jobs.abandoned() == ()
        assert not await begin(store.jobs, "b")
        clock.pass_(timedelta(seconds=1))
        (left,) = await store.jobs.abandoned()
        assert (left.job, left.fire, left.holder, left.finished_at) == ("nightly", FIRE, "a", None)
        assert await begin(store.jobs, "b")
        assert await store.jobs.abandoned() == ()
        (taken,) = await store.jobs.recent()
        assert (taken.holder, taken.started_at) == ("b", left.started_at)

    async def test_who_lost_a_run_cannot_finish_it(self, store: Store, clock: Clock) -> None:
        await begin(store.jobs, "a")
        clock.pass_(LEASE)
        await begin(store.jobs, "b")
        await store.jobs.finish("nightly", FIRE, holder="a", error="stale")
        (run,) = await store.jobs.recent()
        assert (run.holder, run.finished_at, run.error) == ("b", None, None)
        await store.jobs.finish("nightly", FIRE, holder="b")
        await store.jobs.finish("nightly", FIRE, holder="b", error="late")
        (run,) = await store.jobs.recent()
        assert (run.finished_at, run.error) == (datetime.fromtimestamp(clock(), UTC), None)

    async def test_the_newest_runs_come_first_and_abandoned_ones_oldest_first(self, store: Store, clock: Clock) -> None:
        for number in range(5):
            await begin(store.jobs, fire=str(number))
            clock.pass_(LEASE)
        await store.jobs.finish("nightly", "1", holder="a", error="it broke")
        assert [run.fire for run in await store.jobs.recent(limit=3)] == ["4", "3", "2"]
        assert [run.fire for run in await store.jobs.abandoned(limit=2)] == ["0", "2"]
        assert [run.error for run in await store.jobs.recent()] == [None, None, None, "it broke", None]

    async def test_old_runs_are_pruned_but_not_those_under_way(self, store: Store, clock: Clock) -> None:
        for fire in ("done", "abandoned", "under way"):
            await store.jobs.begin(
                "nightly", fire, holder="a", lease=timedelta(days=9) if fire == "under way" else LEASE
            )
        await store.jobs.finish("nightly", "done", holder="a")
        clock.pass_(timedelta(days=2))
        await begin(store.jobs, fire="new")
        await store.jobs.prune(before=datetime.fromtimestamp(clock(), UTC) - timedelta(days=1))
        assert {run.fire for run in await store.jobs.recent()} == {"under way", "new"}
