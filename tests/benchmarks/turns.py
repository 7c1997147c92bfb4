"""Turns through the core in this process: inbox, dispatcher, database, without a channel's wire or a model's time."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bot.ports import Inbox
from bot.service import Pace
from bot.testing import FakeChannel, ScriptedEngine
from bot.types import Author, ConversationKey, Delivery, Inbound, new_id
from storage.local import plugin as local
from storage.sql import plugin as sql
from tests.benchmarks.parley import ANSWER
from tests.core.house import make_dispatcher, make_inbox
from tests.core.parts import OnePersona, make_persona


class Timed(FakeChannel):
    """Resolves a future when a turn's reply is delivered."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[str, asyncio.Future[None]] = {}

    async def deliver(self, delivery: Delivery) -> None:
        self.waiting.pop(delivery.turn).set_result(None)


@contextmanager
def sqlite() -> Iterator[str]:
    """The URL of a fresh database in a file."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite+aiosqlite:///{Path(folder) / 'parley.db'}"


async def measure(url: str, *, conversations: int, turns: int) -> tuple[list[float], float]:
    """Seconds of each turn from the message's arrival to its delivered reply, and turns a second over all.

    `turns` in all; a tenth more come first and are not counted.
    """
    async with sql.open(sql.settings(url=url)) as store, local.open(local.settings()) as shared:
        personas = OnePersona(make_persona())
        channel = Timed()
        inbox = make_inbox(store, shared.bus, personas=personas)
        dispatcher = make_dispatcher(
            store,
            shared.bus,
            engine=ScriptedEngine(ANSWER),
            channels={"fake": channel},
            personas=personas,
            pace=Pace(at_once=128),
        )
        keys = [ConversationKey(channel="fake", tenant="t", room=new_id()) for _ in range(conversations)]
        each = turns // conversations
        serving = asyncio.create_task(dispatcher.run())
        try:
            await asyncio.gather(*(_converse(inbox, channel, key, 1 + each // 10) for key in keys))
            began = time.perf_counter()
            times = await asyncio.gather(*(_converse(inbox, channel, key, each) for key in keys))
            seconds = time.perf_counter() - began
        finally:
            serving.cancel()
            await asyncio.wait({serving})
    return [one for some in times for one in some], each * conversations / seconds


async def _converse(inbox: Inbox, channel: Timed, key: ConversationKey, turns: int) -> list[float]:
    times: list[float] = []
    for _ in range(turns):
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
        if accepted is None:
            raise RuntimeError("the message was not accepted")
        channel.waiting[accepted.turn] = done
        await done
        times.append(time.perf_counter() - began)
    return times
