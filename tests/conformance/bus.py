"""What every Bus keeps to. Subclass `BusContract` and give it a `bus` fixture."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from bot.errors import CursorLost
from bot.ports import Bus
from bot.types import Delta, LiveEvent, StoredMessage, TurnFinished, TurnReplaced, TurnStarted, TurnState
from tests.conformance.samples import SENT_AT, key

Followed = AsyncIterator[tuple[str, LiveEvent]]


def started(turn: str, attempt: int = 1) -> TurnStarted:
    return TurnStarted(turn=turn, attempt=attempt)


def delta(turn: str, seq: int, text: str | None = None, *, attempt: int = 1) -> Delta:
    return Delta(turn=turn, attempt=attempt, seq=seq, text=f"{seq} " if text is None else text)


def finished(turn: str, text: str = "the whole answer") -> TurnFinished:
    message = StoredMessage(id=f"reply to {turn}", role="assistant", text=text, turn=turn, at=SENT_AT)
    return TurnFinished(turn=turn, status=TurnState.DONE, message=message)


async def append(bus: Bus, *events: LiveEvent, room: str = "room") -> None:
    for event in events:
        await bus.append(key(room), event)


async def take(followed: Followed, count: int) -> list[tuple[str, LiveEvent]]:
    async with asyncio.timeout(30):
        return [await anext(followed) for _ in range(count)]


async def events_of(followed: Followed, count: int) -> list[LiveEvent]:
    return [event for _, event in await take(followed, count)]


async def nothing_more(followed: AsyncIterator[object]) -> bool:
    try:
        async with asyncio.timeout(0.05):
            await anext(followed)
    except TimeoutError:
        return True
    return False


def shown(events: Sequence[LiveEvent]) -> str:
    """What a reader of these events sees of the newest turn."""
    text = ""
    for event in events:
        match event:
            case TurnStarted():
                text = ""
            case Delta():
                text += event.text
            case TurnReplaced():
                text = event.text
            case TurnFinished():
                text = event.message.text
    return text


class TopicContract:
    async def test_everyone_subscribed_gets_what_is_published_in_order(self, bus: Bus) -> None:
        async with bus.subscribe("stop") as one, bus.subscribe("stop") as two:
            for text in ("a", "b", "你好"):
                await bus.publish("stop", text)
            for reader in (one, two):
                assert [await anext(reader) for _ in range(3)] == ["a", "b", "你好"]

    async def test_a_subscription_hears_only_its_topic_and_nothing_from_before(self, bus: Bus) -> None:
        await bus.publish("wake", "before")
        async with bus.subscribe("wake") as reader:
            await bus.publish("stop", "other")
            await bus.publish("wake", "mine")
            assert await anext(reader) == "mine"
            assert await nothing_more(reader)

    async def test_a_waiting_reader_is_woken(self, bus: Bus) -> None:
        async with bus.subscribe("wake") as reader:
            waiting = asyncio.ensure_future(anext(reader))
            await asyncio.sleep(0)
            await bus.publish("wake", "now")
            assert await asyncio.wait_for(waiting, 30) == "now"

    async def test_publishing_to_nobody_or_to_a_slow_reader_never_blocks_and_the_newest_stays(self, bus: Bus) -> None:
        await bus.publish("wake", "nobody")
        async with bus.subscribe("wake") as reader:
            async with asyncio.timeout(30):
                for number in range(20_000):
                    await bus.publish("wake", str(number))
            last = ""
            while last != "19999":
                last = await asyncio.wait_for(anext(reader), 30)


class FollowContract:
    async def test_a_follower_gets_what_is_there_and_then_what_comes(self, bus: Bus) -> None:
        await append(bus, started("t1"), delta("t1", 1))
        async with bus.follow(key()) as followed:
            assert await events_of(followed, 2) == [started("t1"), delta("t1", 1)]
            waiting = asyncio.ensure_future(anext(followed))
            await asyncio.sleep(0)
            await append(bus, delta("t1", 2))
            assert (await asyncio.wait_for(waiting, 30))[1] == delta("t1", 2)
            await append(bus, finished("t1"))
            assert await events_of(followed, 1) == [finished("t1")]

    async def test_followers_of_one_conversation_hear_nothing_of_another(self, bus: Bus) -> None:
        async with bus.follow(key("mine")) as followed:
            await append(bus, started("t1"), room="other")
            assert await nothing_more(followed)

    async def test_a_follower_present_gets_every_event_even_when_they_come_at_once(self, bus: Bus) -> None:
        async with bus.follow(key()) as followed:
            said: list[LiveEvent] = [
                started("t1"),
                *(delta("t1", n) for n in range(1, 9)),
                finished("t1"),
                started("t2"),
            ]
            await append(bus, *said)
            assert await events_of(followed, len(said)) == said

    async def test_following_after_a_cursor_repeats_and_skips_nothing(self, bus: Bus) -> None:
        await append(bus, started("t1"), delta("t1", 1), delta("t1", 2))
        async with bus.follow(key()) as followed:
            cursor, _ = (await take(followed, 2))[-1]
        await append(bus, delta("t1", 3))
        async with bus.follow(key(), after=cursor) as followed:
            assert await events_of(followed, 2) == [delta("t1", 2), delta("t1", 3)]
            assert await nothing_more(followed)

    async def test_a_reader_that_missed_the_end_of_a_turn_gets_its_final_text(self, bus: Bus) -> None:
        await append(bus, started("t1"), delta("t1", 1))
        async with bus.follow(key()) as followed:
            cursor, _ = (await take(followed, 2))[-1]
        await append(bus, delta("t1", 2), finished("t1"), started("t2"), delta("t2", 1, "next"))
        async with bus.follow(key(), after=cursor) as followed:
            events: list[LiveEvent] = []
            while shown(events) != "next":
                events += await events_of(followed, 1)
        assert finished("t1") in events
        assert started("t2") in events

    async def test_without_a_cursor_a_follower_begins_with_the_newest_turn(self, bus: Bus) -> None:
        await append(bus, started("t1"), delta("t1", 1), finished("t1"), started("t2"), delta("t2", 1))
        async with bus.follow(key()) as followed:
            assert await events_of(followed, 2) == [started("t2"), delta("t2", 1)]

    async def test_without_a_cursor_a_finished_newest_turn_is_shown_whole(self, bus: Bus) -> None:
        await append(bus, started("t1"), delta("t1", 1), finished("t1"))
        async with bus.follow(key()) as followed:
            events: list[LiveEvent] = []
            while not events or events[-1] != finished("t1"):
                events += await events_of(followed, 1)
            assert events[0] == started("t1")
            assert await nothing_more(followed)

    async def test_a_second_attempt_makes_the_first_forgotten(self, bus: Bus) -> None:
        await append(bus, started("t1"), delta("t1", 1, "wrong"))
        again: list[LiveEvent] = [
            started("t1", 2),
            TurnReplaced(turn="t1", attempt=2, seq=1, text=""),
            delta("t1", 2, "r", attempt=2),
        ]
        await append(bus, *again)
        async with bus.follow(key()) as followed:
            assert await events_of(followed, 3) == again

    async def test_a_long_turn_is_shown_whole_to_whom_comes_late_or_lags_behind(self, bus: Bus) -> None:
        async with bus.follow(key()) as slow:
            pieces = [delta("t1", n) for n in range(1, 3001)]
            await append(bus, started("t1"), *pieces[:10])
            seen = await events_of(slow, 5)
            await append(bus, *pieces[10:])
            whole = "".join(piece.text for piece in pieces)
            async with bus.follow(key()) as late:
                for followed, events in ((late, []), (slow, seen)):
                    while shown(events) != whole:
                        events.extend(await events_of(followed, 1))

    async def test_cursors_of_elsewhere_are_lost(self, bus: Bus) -> None:
        await append(bus, started("t1"), room="other")
        async with bus.follow(key("other")) as followed:
            foreign, _ = (await take(followed, 1))[0]
        for cursor in (foreign, "another-life-3", "", "-", "garbage"):
            with pytest.raises(CursorLost):
                await self._enter(bus, cursor)
        await append(bus, started("t1"))
        for cursor in (foreign, "another-life-3", "", "-", "garbage"):
            with pytest.raises(CursorLost):
                await self._enter(bus, cursor)

    async def test_a_cursor_is_lost_when_what_follows_it_is_gone(self, bus: Bus) -> None:
        await append(bus, started("t0"))
        async with bus.follow(key()) as followed:
            cursor, _ = (await take(followed, 1))[0]
        for number in range(3000):
            await append(bus, started(f"t{number}"), finished(f"t{number}", "x" * 200))
        with pytest.raises(CursorLost):
            await self._enter(bus, cursor)

    async def test_a_follower_too_far_behind_gets_cursor_lost_and_may_follow_again(self, bus: Bus) -> None:
        await append(bus, started("t0"))
        async with bus.follow(key()) as followed:
            await take(followed, 1)
            for number in range(3000):
                await append(bus, started(f"t{number}"), finished(f"t{number}", "x" * 200))
            with pytest.raises(CursorLost):
                await take(followed, 1)
        async with bus.follow(key()) as followed:
            assert await events_of(followed, 1) == [started("t2999")]

    async def test_forgetting_drops_the_buffer(self, bus: Bus) -> None:
        await append(bus, started("t1"), delta("t1", 1, "secret"))
        async with bus.follow(key()) as followed:
            cursor, _ = (await take(followed, 1))[0]
        await bus.forget(key())
        await bus.forget(key("never there"))
        with pytest.raises(CursorLost):
            await self._enter(bus, cursor)
        async with bus.follow(key()) as followed:
            assert await nothing_more(followed)
            await append(bus, started("t2"))
            assert await events_of(followed, 1) == [started("t2")]

    async def test_many_followers_come_and_go_without_a_task_left_behind(self, bus: Bus) -> None:
        before = asyncio.all_tasks()

        async def read() -> None:
            async with bus.follow(key()) as followed:
                await take(followed, 3)

        readers = [asyncio.ensure_future(read()) for _ in range(50)]
        await asyncio.sleep(0)
        for reader in readers[:10]:
            reader.cancel()
        await append(bus, started("t1"), delta("t1", 1), finished("t1"))
        await asyncio.wait(readers)
        assert sum(reader.cancelled() for reader in readers) == 10
        assert asyncio.all_tasks() == before

    @staticmethod
    async def _enter(bus: Bus, cursor: str) -> None:
        async with bus.follow(key(), after=cursor):
            pass


class BusContract(TopicContract, FollowContract):
    async def test_an_open_bus_says_it_is_well(self, bus: Bus) -> None:
        await bus.check()
