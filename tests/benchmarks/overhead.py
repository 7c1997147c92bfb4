"""What a turn costs outside the engine: an instant scripted engine of 20 words, everything stored on disk."""

import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bot.dispatch import Dispatcher, Pace
from bot.inbox import StoredInbox
from bot.testing import FakeChannel, ScriptedEngine
from bot.types import Author, ConversationKey, Delivery, Inbound, new_id
from storage.local import plugin as local
from storage.sql import plugin as sql
from tests.benchmarks.report import Row, milliseconds
from tests.core.parts import OnePersona, WordKnowledge, make_persona

ANSWER = " ".join(["word"] * 20)


class Timed(FakeChannel):
    """Resolves a future when a turn's reply is delivered."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[str, asyncio.Future[None]] = {}

    async def deliver(self, delivery: Delivery) -> None:
        self.waiting.pop(delivery.turn).set_result(None)


async def measure(conversations: int, turns: int) -> tuple[list[float], float]:
    """Seconds of each turn from the message's arrival to its delivered reply, and turns a second over all."""
    with tempfile.TemporaryDirectory() as folder:
        settings = sql.settings(url=f"sqlite+aiosqlite:///{Path(folder) / 'parley.db'}")
        async with sql.open(settings) as store, local.open(local.settings()) as bus:
            personas = OnePersona(make_persona())
            channel = Timed()
            inbox = StoredInbox(store=store, bus=bus, routes={"fake": {"default": "helper"}})
            dispatcher = Dispatcher(
                holder="bench",
                store=store,
                bus=bus,
                personas=personas,
                knowledge=WordKnowledge(),
                engine=ScriptedEngine(ANSWER),
                channels={"fake": channel},
                pace=Pace(at_once=128),
            )
            serving = asyncio.create_task(dispatcher.run())
            times: list[float] = []

            async def person(number: int) -> None:
                key = ConversationKey(channel="fake", tenant="t", room=str(number))
                for _ in range(turns // conversations):
                    began = time.perf_counter()
                    inbound = Inbound(
                        event_id=new_id(),
                        conversation=key,
                        author=Author(id="u", name="Ann"),
                        text="hello there",
                        received_at=datetime.now(UTC),
                    )
                    done = asyncio.get_running_loop().create_future()
                    accepted = await inbox.accept(inbound)
                    assert accepted is not None
                    channel.waiting[accepted.turn] = done
                    await done
                    times.append(time.perf_counter() - began)

            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for number in range(conversations):
                    group.create_task(person(number))
            seconds = time.perf_counter() - began
            serving.cancel()
            await asyncio.wait({serving})
            return times, len(times) / seconds


async def rows() -> list[Row]:
    found: list[Row] = []
    for conversations, turns in ((1, 300), (100, 3000)):
        times, rate = await measure(conversations, turns)
        cuts = statistics.quantiles(times, n=100)
        name = f"turn outside the engine, {conversations} at once"
        found.append(Row(name, f"p50 {milliseconds(cuts[49])}, p99 {milliseconds(cuts[98])}, {rate:.0f} turns/s"))
    return found
