"""Work at fixed times, on the real store, with clocks set by hand."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.cron import Cron
from bot.errors import StoreUnavailable
from bot.jobs import Job, Scheduler, posts, scheduler, upkeep
from bot.jobs.runs import Runs
from bot.ports import Bus, Store
from bot.testing import FakeChannel, ScriptedEngine
from bot.types import ConversationKey, ScheduledPrompt
from storage.local import plugin as local
from storage.sql import SqlSettings, open_store
from tests.core.clocks import Hand, patch, use
from tests.core.parts import OnePersona, make_persona
from tests.core.replica import Replica, echo, until

MORNING = ScheduledPrompt(cron="0 9 * * *", prompt="Say good morning.", to="fake:news")
NEWS = ConversationKey(channel="fake", tenant="default", room="news")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Hand:
    patch(monkeypatch)
    monkeypatch.setattr(scheduler, "LOOK_EVERY", timedelta(milliseconds=2))
    return Hand("2026-10-25T08:59:30+00:00")


@pytest.fixture
async def store(clock: Hand) -> AsyncIterator[Store]:
    async with open_store(SqlSettings(url="sqlite+aiosqlite:///:memory:"), now=clock.seconds) as store:
        yield store


@pytest.fixture
async def bus() -> AsyncIterator[Bus]:
    async with local.open(local.settings()) as shared:
        yield shared.bus


class Diary:
    """Work that notes its fire times."""

    def __init__(self) -> None:
        self.fires: list[str] = []

    async def __call__(self, fire: str) -> None:
        self.fires.append(fire)

    def job(self, cron: str = "* * * * *", *, name: str = "diary") -> Job:
        return Job(name=name, cron=Cron(cron, UTC), work=self)


def make(
    store: Store,
    bus: Bus,
    clock: Callable[[], datetime],
    *,
    jobs: Sequence[Job] = (),
    personas: OnePersona | None = None,
    holder: str = "one",
) -> Scheduler:
    return Scheduler(
        store=store,
        bus=bus,
        personas=personas or OnePersona(),
        channels={"fake"},
        upkeep=jobs,
        zone=UTC,
        holder=holder,
        now=clock,
    )


@asynccontextmanager
async def running(one: Scheduler, clock: Callable[[], datetime]) -> AsyncIterator[None]:
    use(clock)
    task = asyncio.create_task(one.run())
    await asyncio.sleep(0.01)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()


async def settle() -> None:
    await asyncio.sleep(0.03)


async def test_a_fire_time_runs_when_it_comes_and_once(store: Store, bus: Bus, clock: Hand) -> None:
    diary = Diary()
    async with running(make(store, bus, clock, jobs=[diary.job("0 9 * * *")]), clock):
        await settle()
        assert diary.fires == []
        clock.pass_(minutes=1)
        await until(lambda: diary.fires == ["2026-10-25T09:00"])
        clock.pass_(minutes=1)
        await settle()
    (run,) = await store.jobs.recent()
    assert (run.job, run.fire, run.holder, run.error) == ("diary", "2026-10-25T09:00", "one", None)
    assert run.finished_at is not None
    assert len(diary.fires) == 1


async def test_a_step_of_the_clock_forward_makes_up_for_the_last_missed_time_only(
    store: Store, bus: Bus, clock: Hand
) -> None:
    diary = Diary()
    async with running(make(store, bus, clock, jobs=[diary.job()]), clock):
        clock.pass_(minutes=7)
        await until(lambda: diary.fires == ["2026-10-25T08:59Z", "2026-10-25T09:06Z"])


async def test_what_is_missed_by_too_much_is_left_out(store: Store, bus: Bus, clock: Hand) -> None:
    diary = Diary()
    async with running(make(store, bus, clock, jobs=[diary.job("0 9 * * *")]), clock):
        clock.pass_(hours=2)
        await settle()
        clock.pass_(days=1, hours=-2, minutes=1)
        await until(lambda: diary.fires == ["2026-10-26T09:00"])


async def test_a_long_sleep_of_the_machine_costs_no_time_for_every_minute_of_it(
    store: Store, bus: Bus, clock: Hand
) -> None:
    diary = Diary()
    async with running(make(store, bus, clock, jobs=[diary.job()]), clock):
        clock.pass_(days=4000)
        async with asyncio.timeout(5):
            await until(lambda: len(diary.fires) == 2)


async def test_a_clock_set_back_repeats_nothing_and_goes_on_from_there(store: Store, bus: Bus, clock: Hand) -> None:
    diary = Diary()
    async with running(make(store, bus, clock, jobs=[diary.job()]), clock):
        for _ in range(3):
            clock.pass_(minutes=1)
            await settle()
        clock.pass_(days=1)
        await settle()
        clock.pass_(days=-1, minutes=-2)
        await settle()
        for _ in range(4):
            clock.pass_(minutes=1)
            await settle()
    today = ["2026-10-25T08:59Z", *(f"2026-10-25T09:0{minute}Z" for minute in range(5))]
    assert sorted(diary.fires) == [*today, "2026-10-26T09:02Z"]


async def test_after_a_restart_a_fire_time_is_made_up_for_and_not_repeated(store: Store, bus: Bus, clock: Hand) -> None:
    diary = Diary()
    clock.pass_(minutes=5)
    for _ in range(2):
        async with running(make(store, bus, clock, jobs=[diary.job("0 9 * * *")]), clock):
            await until(lambda: bool(diary.fires))
            await settle()
    assert diary.fires == ["2026-10-25T09:00"]


async def test_a_job_that_fails_ends_its_run_alone(store: Store, bus: Bus, clock: Hand) -> None:
    diary = Diary()

    async def broken(_: str) -> None:
        raise ValueError("no paper")

    jobs = [diary.job(), Job(name="broken", cron=Cron("* * * * *", UTC), work=broken)]
    async with running(make(store, bus, clock, jobs=jobs), clock):
        clock.pass_(minutes=1)
        await until(lambda: bool(diary.fires))
        await settle()
    assert {(run.job, run.error) for run in await store.jobs.recent()} == {("diary", None), ("broken", "no paper")}


async def test_a_job_that_takes_too_long_is_stopped_before_another_replica_may_begin(store: Store, clock: Hand) -> None:
    async def endless(_: str) -> None:
        await asyncio.Event().wait()

    job = Job(name="endless", cron=Cron("* * * * *", UTC), work=endless, lease=timedelta(milliseconds=10))
    await Runs(jobs=store.jobs, holder="one", now=clock).run(job, "1", until=clock())
    (run,) = await store.jobs.recent()
    assert run.error is not None
    assert "longer than" in run.error


async def test_a_fire_time_outlives_a_database_that_does_not_answer(
    store: Store, clock: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary, begin, failures = Diary(), store.jobs.begin, [StoreUnavailable("gone")] * 3
    monkeypatch.setattr("bot.jobs.runs.RETRY", timedelta(milliseconds=1))

    async def flaky(*args: Any, **options: Any) -> bool:
        if failures:
            raise failures.pop()
        return await begin(*args, **options)

    monkeypatch.setattr(store.jobs, "begin", flaky)
    runs = Runs(jobs=store.jobs, holder="one", now=clock)
    await runs.run(diary.job(), "1", until=clock() + timedelta(minutes=1))
    assert diary.fires == ["1"]
    failures.append(StoreUnavailable("gone"))
    await runs.run(diary.job(), "2", until=clock())
    assert diary.fires == ["1"]


async def test_what_nobody_finished_for_an_hour_is_closed_with_an_error(store: Store, bus: Bus, clock: Hand) -> None:
    await store.jobs.begin("of yesterday's persona", "1", holder="dead", lease=timedelta(minutes=1))
    async with running(make(store, bus, clock), clock):
        clock.pass_(minutes=30)
        await settle()
        assert len(await store.jobs.abandoned()) == 1
        clock.pass_(minutes=31)
        await settle()
    (run,) = await store.jobs.recent()
    assert run.error is not None
    assert run.finished_at is not None


@pytest.mark.slow
async def test_eight_replicas_run_each_of_a_thousand_fire_times_exactly_once(
    store: Store, bus: Bus, clock: Hand
) -> None:
    """Their clocks are wrong and jump, and some die in the middle of a run."""
    chance = random.Random(16)
    done: Counter[str] = Counter()
    begun: Counter[str] = Counter()
    replicas: dict[int, asyncio.Task[None]] = {}
    skews = dict.fromkeys(range(8), timedelta())
    doomed = {f"{clock.at.replace(second=0) + timedelta(minutes=n):%Y-%m-%dT%H:%MZ}" for n in range(7, 1000, 25)}

    def start(number: int, life: int) -> None:
        def now() -> datetime:
            return clock.at + skews[number]

        async def work(fire: str) -> None:
            begun[fire] += 1
            if fire in doomed and begun[fire] == 1:
                replicas[number].cancel()
                start(number, life + 1)
                await asyncio.Event().wait()
            await asyncio.sleep(0)
            done[fire] += 1

        use(now)
        job = Job(name="diary", cron=Cron("* * * * *", UTC), work=work, lease=timedelta(minutes=10))
        one = make(store, bus, now, jobs=[job], holder=f"{number}.{life}")
        replicas[number] = asyncio.create_task(one.run())

    for number in skews:
        start(number, 0)
    await asyncio.sleep(0.01)
    first = clock.at.replace(second=0) + timedelta(minutes=1)
    fires = [f"{first + timedelta(minutes=n):%Y-%m-%dT%H:%MZ}" for n in range(1000)]
    for fire in fires:
        clock.pass_(minutes=1)
        for number in range(1, 8):  # number 0 keeps good time
            if chance.random() < 0.2:
                skews[number] = timedelta(seconds=chance.uniform(-150, 150))
        await until(lambda fire=fire: bool(done[fire] or (fire in doomed and begun[fire])))  # type: ignore[misc] # bound early
    clock.pass_(minutes=13)
    await until(lambda: all(done[fire] for fire in fires))
    await settle()
    for task in replicas.values():
        task.cancel()
    await asyncio.wait(replicas.values())
    assert {fire: done[fire] for fire in fires} == dict.fromkeys(fires, 1)
    assert {begun[fire] for fire in doomed} == {2}
    assert await store.jobs.abandoned() == ()


async def test_without_the_unique_row_every_replica_runs(
    store: Store, bus: Bus, clock: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def always(*_: object, **__: object) -> bool:
        return True

    monkeypatch.setattr(store.jobs, "begin", always)
    diary = Diary()
    one, two = (make(store, bus, clock, jobs=[diary.job("0 9 * * *")], holder=holder) for holder in "12")
    async with running(one, clock), running(two, clock):
        clock.pass_(minutes=1)
        await until(lambda: diary.fires == ["2026-10-25T09:00"] * 2)


async def test_a_scheduled_prompt_is_answered_by_its_persona_at_its_place_once(
    store: Store, bus: Bus, clock: Hand
) -> None:
    replica = Replica(store, bus, ScriptedEngine(echo), FakeChannel())
    replica.personas.persona = make_persona(schedule=(MORNING,))
    one, two, three = (make(store, bus, clock, personas=replica.personas, holder=holder) for holder in "123")
    async with replica.serving(), running(one, clock), running(two, clock), running(three, clock):
        clock.pass_(minutes=1)
        await until(lambda: bool(replica.channel.delivered))
        await settle()
    assert await replica.texts(NEWS) == ["Say good morning.", "You said Say good morning."]
    (question, _) = await store.conversations.messages(NEWS)
    assert question.author == "Helper"
    conversation = await store.conversations.get(NEWS)
    assert conversation is not None
    assert conversation.persona == "helper"


async def test_a_prompt_whose_run_is_repeated_after_a_crash_is_asked_once(
    store: Store, bus: Bus, clock: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = store.jobs.finish

    async def crash(*args: Any, **options: Any) -> None:
        monkeypatch.setattr(store.jobs, "finish", finish)
        raise StoreUnavailable("the database went away before the run was closed")

    monkeypatch.setattr(store.jobs, "finish", crash)
    personas = OnePersona(make_persona(schedule=(MORNING,)))
    async with running(make(store, bus, clock, personas=personas), clock):
        clock.pass_(minutes=1)
        await settle()
        assert (await store.jobs.recent())[0].finished_at is None
        clock.pass_(minutes=3)
        await settle()
    assert (await store.jobs.recent())[0].finished_at is not None
    assert [message.text for message in await store.conversations.messages(NEWS)] == ["Say good morning."]


async def test_a_place_that_talks_to_another_persona_is_left_alone_and_the_run_says_so(
    store: Store, bus: Bus, clock: Hand
) -> None:
    await store.conversations.open(NEWS, persona="tutor")
    personas = OnePersona(make_persona(schedule=(MORNING,)))
    async with running(make(store, bus, clock, personas=personas), clock):
        clock.pass_(minutes=1)
        await settle()
    (run,) = await store.jobs.recent()
    assert run.error is not None
    assert "tutor" in run.error
    assert await store.conversations.messages(NEWS) == ()


async def test_the_plan_follows_the_personas_and_jobs_that_stay_keep_their_time(
    store: Store, bus: Bus, clock: Hand
) -> None:
    personas = OnePersona(make_persona(schedule=(MORNING,)))
    one = make(store, bus, clock, personas=personas)
    later = ScheduledPrompt(cron="1 9 * * *", prompt="One past.", to="fake:t1:hall")
    edited = ScheduledPrompt(cron=MORNING.cron, prompt="Say it better.", to=MORNING.to)
    elsewhere = ScheduledPrompt(cron="0 9 * * *", prompt="Nobody hears.", to="slack:C1")
    async with running(one, clock):
        personas.persona = make_persona(schedule=(edited, later, elsewhere))
        one.refresh()
        clock.pass_(minutes=1)
        await settle()
        personas.persona = make_persona()
        one.refresh()
        clock.pass_(minutes=1)
        await settle()
    assert [message.text for message in await store.conversations.messages(NEWS)] == ["Say it better."]
    hall = ConversationKey(channel="fake", tenant="t1", room="hall")
    assert await store.conversations.messages(hall) == ()
    assert len(await store.jobs.recent()) == 1


def test_entries_alike_are_jobs_of_their_own_and_none_is_named_by_its_words() -> None:
    twice = make_persona(schedule=(MORNING, ScheduledPrompt(cron="0  9 * * *", prompt="Again.", to="fake:news")))
    one, two = posts([twice], UTC)
    assert one.name != two.name
    (edited, _) = posts(
        [make_persona(schedule=(ScheduledPrompt(cron="0 9 * * *", prompt="x", to="fake:news"),) * 2)], UTC
    )
    assert edited.name == one.name


async def test_days_are_counted_by_persona_and_channel_and_stay_when_conversations_go(
    store: Store, bus: Bus, clock: Hand
) -> None:
    replica = Replica(store, bus, ScriptedEngine(echo), FakeChannel())
    async with replica.serving():
        turns = [await replica.hear(f"Hello {n}", room=str(n)) for n in range(3)]
        await replica.delivered(*turns)
    jobs = {
        job.name: job
        for job in upkeep(
            store, zone=UTC, keep_runs=timedelta(days=1), now=clock, forget_old=_nothing, summarise=_nothing
        )
    }
    for _ in range(2):
        await jobs["statistics"].work("")
    (day,) = await store.statistics.since(clock.at.date())
    assert (day.persona, day.channel, day.turns, day.failed) == ("helper", "fake", 3, 0)
    assert day.new_tokens > 0
    await store.conversations.erase(ConversationKey(channel="fake", tenant="t", room="1"))
    await jobs["statistics"].work("")
    assert await store.statistics.since(clock.at.date()) == (day,)
    assert await store.statistics.since(clock.at.date() + timedelta(days=1)) == ()


async def test_retention_forgets_old_runs_and_does_what_it_was_handed(store: Store, clock: Hand) -> None:
    done: list[str] = []

    async def forget_old() -> None:
        done.append("forgot")

    await store.jobs.begin("old", "1", holder="a", lease=timedelta(minutes=1))
    clock.pass_(days=2)
    jobs = upkeep(store, zone=UTC, keep_runs=timedelta(days=1), now=clock, forget_old=forget_old, summarise=_nothing)
    assert [job.name for job in jobs] == ["retention", "statistics", "summaries"]
    await jobs[0].work("")
    assert done == ["forgot"]
    assert await store.jobs.recent() == ()


async def _nothing() -> None:
    return None
