"""Replicas with a connection of their own each, on one PostgreSQL server."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, timedelta

import pytest

from bot.cron import Cron
from bot.jobs import Job, Scheduler, scheduler
from storage.local import plugin as local
from storage.sql import SqlSettings, open_store
from tests.core.clocks import Hand, patch, use
from tests.core.parts import OnePersona
from tests.core.replica import until
from tests.postgres_server import PostgresServer


@pytest.mark.slow
async def test_four_replicas_on_postgres_run_each_fire_time_once(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch(monkeypatch)
    monkeypatch.setattr(scheduler, "LOOK_EVERY", timedelta(milliseconds=5))
    clock = Hand("2026-10-25T00:00:30+00:00")
    done: Counter[str] = Counter()

    async def work(fire: str) -> None:
        done[fire] += 1

    job = Job(name="diary", cron=Cron("* * * * *", UTC), work=work)
    with postgres.database() as name:
        async with AsyncExitStack() as stack:
            shared = await stack.enter_async_context(local.open(local.settings()))
            use(clock)
            tasks = []
            for number in range(4):
                store = await stack.enter_async_context(open_store(SqlSettings(url=postgres.url(name))))
                one = Scheduler(
                    store=store,
                    bus=shared.bus,
                    personas=OnePersona(),
                    channels=(),
                    upkeep=[job],
                    zone=UTC,
                    holder=str(number),
                    now=clock,
                )
                tasks.append(asyncio.create_task(one.run()))
            await until(lambda: sum(done.values()) > 0)
            for _ in range(100):
                before = sum(done.values())
                clock.pass_(minutes=1)
                await until(lambda before=before: sum(done.values()) > before)  # type: ignore[misc] # bound early
            await asyncio.sleep(0.1)
            runs = await store.jobs.recent(limit=200)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
    assert sorted(done) == sorted(run.fire for run in runs)
    assert len(done) == 101
    assert set(done.values()) == {1}
    assert len({run.holder for run in runs}) > 1
