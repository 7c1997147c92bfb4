"""What every Channel keeps to. Subclass `ChannelContract` and give it a `stage` fixture."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

import pytest

from bot.errors import EngineDied
from bot.ports import Channel
from bot.types import ConversationKey, Delivery, StoredMessage, Turn, TurnState
from tests.conformance.samples import SENT_AT

PATIENCE_SECONDS = 20


class Stage(Protocol):
    """A channel with a reader before it."""

    @property
    def channel(self) -> Channel: ...
    @property
    def conversation(self) -> ConversationKey: ...

    async def shown(self, turn: str) -> str:
        """What the reader sees of the turn's reply now."""
        ...

    async def delivered(self) -> list[tuple[str, str]]:
        """The finished replies the reader sees, as (turn, text), in the order in which they came."""
        ...


async def sees(stage: Stage, turn: str, text: str) -> None:
    """The reader comes to see the text: a channel shows what is written at its own pace."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await stage.shown(turn) != text:
                await asyncio.sleep(0.01)
    assert await stage.shown(turn) == text


def turn_of(stage: Stage, name: str, *, attempt: int = 1) -> Turn:
    return Turn(
        id=name,
        conversation=stage.conversation,
        persona="helper",
        persona_version="v1",
        state=TurnState.RUNNING,
        attempt=attempt,
        epoch=attempt,
    )


def delivery_of(stage: Stage, name: str, text: str, *, state: TurnState = TurnState.DONE) -> Delivery:
    message = StoredMessage(id=f"reply{name}", role="assistant", text=text, turn=name, at=SENT_AT)
    return Delivery(turn=name, conversation=stage.conversation, state=state, message=message)


class ChannelContract:
    async def test_what_is_written_is_shown_in_order(self, stage: Stage) -> None:
        async with stage.channel.reply(turn_of(stage, "t1")) as reply:
            for text in ("One ", "two\n", "三 ", "\U0001f600"):
                await reply.write(text)
            await sees(stage, "t1", "One two\n三 \U0001f600")

    async def test_replace_takes_back_what_was_shown(self, stage: Stage) -> None:
        async with stage.channel.reply(turn_of(stage, "t1")) as reply:
            await reply.write("wrong")
            await reply.replace("right")
            await sees(stage, "t1", "right")
            await reply.write(" and more")
            await sees(stage, "t1", "right and more")

    async def test_replace_with_nothing_shows_nothing(self, stage: Stage) -> None:
        async with stage.channel.reply(turn_of(stage, "t1")) as reply:
            await reply.write("wrong")
            await sees(stage, "t1", "wrong")
            await reply.replace("")
            await sees(stage, "t1", "")

    async def test_a_later_attempt_takes_the_place_of_an_earlier_one(self, stage: Stage) -> None:
        async with stage.channel.reply(turn_of(stage, "t1")) as reply:
            await reply.write("broken off")
        async with stage.channel.reply(turn_of(stage, "t1", attempt=2)) as reply:
            await reply.write("whole")
            await sees(stage, "t1", "whole")

    async def test_a_delivered_reply_is_shown_as_stored(self, stage: Stage) -> None:
        async with stage.channel.reply(turn_of(stage, "t1")) as reply:
            await reply.write("draft")
        await stage.channel.deliver(delivery_of(stage, "t1", "draft, finished"))
        await sees(stage, "t1", "draft, finished")
        assert await stage.delivered() == [("t1", "draft, finished")]

    async def test_a_reply_delivered_again_is_there_once(self, stage: Stage) -> None:
        for attempt in (1, 2, 3):
            await stage.channel.deliver(replace(delivery_of(stage, "t1", "answer"), attempt=attempt))
        assert await stage.delivered() == [("t1", "answer")]

    async def test_a_reply_that_was_never_streamed_can_be_delivered(self, stage: Stage) -> None:
        await stage.channel.deliver(delivery_of(stage, "t1", "sorry", state=TurnState.FAILED))
        await sees(stage, "t1", "sorry")

    async def test_replies_are_there_in_the_order_of_delivery(self, stage: Stage) -> None:
        for name in ("t1", "t2", "t3"):
            async with stage.channel.reply(turn_of(stage, name)) as reply:
                await reply.write(name)
            await stage.channel.deliver(delivery_of(stage, name, name.upper()))
        assert await stage.delivered() == [("t1", "T1"), ("t2", "T2"), ("t3", "T3")]

    async def test_a_reply_left_by_an_error_can_be_begun_again(self, stage: Stage) -> None:
        async def break_off() -> None:
            async with stage.channel.reply(turn_of(stage, "t1")) as reply:
                await reply.write("half")
                raise EngineDied("the worker ended")

        with pytest.raises(EngineDied):
            await break_off()
        async with stage.channel.reply(turn_of(stage, "t1", attempt=2)) as reply:
            await reply.write("whole")
        await stage.channel.deliver(delivery_of(stage, "t1", "whole"))
        assert await stage.delivered() == [("t1", "whole")]
