"""Replies on their way to the bus: joined to frames, exact, and never late."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest
from prometheus_client import CollectorRegistry, Counter

from adapters.web.reply import WebReply, replying
from bot.errors import EngineDied
from bot.ports import Bus
from bot.types import ConversationKey, Delta, LiveEvent, Turn, TurnReplaced, TurnStarted, TurnState
from storage.local import LocalBusSettings, open_bus

KEY = ConversationKey(channel="web", tenant="t", room="r")
TURN = Turn(id="t", conversation=KEY, persona="p", persona_version=None, state=TurnState.RUNNING, attempt=1, epoch=1)
WORDS = [f"{number} " for number in range(50)]


@pytest.fixture
async def bus() -> AsyncIterator[Bus]:
    async with open_bus(LocalBusSettings()) as bus:
        yield bus


def opened(bus: Bus) -> AbstractAsyncContextManager[WebReply]:
    return replying(TURN, bus, Counter("pieces", "pieces", registry=CollectorRegistry()))


async def sent(bus: Bus) -> list[LiveEvent]:
    """What is on the bus at this moment."""
    found: list[LiveEvent] = []
    async with bus.follow(KEY) as events:
        try:
            async with asyncio.timeout(0):
                async for _, event in events:
                    found.append(event)
        except TimeoutError:
            return found
    return found


def texts(events: list[LiveEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, Delta)]


async def test_words_faster_than_a_screen_go_out_together_and_join_to_the_text(bus: Bus) -> None:
    async with opened(bus) as reply:
        for word in WORDS:
            await reply.write(word)
    events = await sent(bus)
    assert isinstance(events[0], TurnStarted)
    assert "".join(texts(events)) == "".join(WORDS)
    assert len(texts(events)) < len(WORDS) / 2
    assert [event.seq for event in events if isinstance(event, Delta)] == list(range(1, len(events)))


async def test_the_first_word_does_not_wait(bus: Bus) -> None:
    async with opened(bus) as reply:
        await reply.write("first")
        assert texts(await sent(bus)) == ["first"]


async def test_a_word_that_waits_is_sent_though_nothing_follows(bus: Bus) -> None:
    async with opened(bus) as reply, asyncio.timeout(30):
        await reply.write("one ")
        await reply.write("two")
        while "".join(texts(await sent(bus))) != "one two":
            await asyncio.sleep(0.01)


async def test_what_waits_when_a_text_is_replaced_is_not_shown_after_it(bus: Bus) -> None:
    async with opened(bus) as reply:
        await reply.write("wrong ")
        await reply.write("words")
        await reply.replace("right")
        await reply.write(" indeed")
    events = await sent(bus)
    place = next(number for number, event in enumerate(events) if isinstance(event, TurnReplaced))
    assert "".join(texts(events[place:])) == " indeed"


async def test_an_error_comes_out_as_it_was_raised(bus: Bus) -> None:
    async def break_off() -> None:
        async with opened(bus) as reply:
            await reply.write("half")
            raise EngineDied("gone")

    with pytest.raises(EngineDied):
        await break_off()
