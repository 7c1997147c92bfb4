"""The in-process bus: its suite, and the bounds on what it keeps."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import CursorLost
from bot.types import Delta, LiveEvent, TurnReplaced
from storage.local import LocalBus, LocalBusSettings, open_bus
from storage.local.buffer import Follower, LiveBuffer
from tests.conformance.bus import BusContract, append, delta, events_of, finished, shown, started, take
from tests.conformance.samples import key


class TestLocalBus(BusContract):
    @pytest.fixture
    async def bus(self) -> AsyncIterator[LocalBus]:
        async with open_bus(LocalBusSettings()) as bus:
            yield bus


async def test_a_buffer_keeps_no_more_events_than_its_bound() -> None:
    buffer = LiveBuffer(events=64, characters=10_000)
    buffer.append(started("t1"))
    for n in range(1, 10_000):
        buffer.append(delta("t1", n, "a"))
        assert buffer.events <= 64


async def test_a_buffer_keeps_no_more_characters_than_its_bound_and_the_newest_turn() -> None:
    buffer = LiveBuffer(events=1000, characters=5_000)
    for turn in range(100):
        buffer.append(started(f"t{turn}"))
        buffer.append(finished(f"t{turn}", "x" * 400))
        assert buffer.characters <= 5_000
    buffer.append(finished("long", "x" * 9_000))
    assert buffer.characters == 9_000


@pytest.mark.parametrize("number", ["2", "-1", "1.0", "x", "", "9" * 5000])
async def test_a_cursor_that_this_buffer_never_gave_is_lost(number: str) -> None:
    buffer = LiveBuffer(events=64, characters=10_000)
    buffer.append(started("t1"))
    life = buffer.cursor(1).removesuffix("1")
    buffer.follow(f"{life}1")
    with pytest.raises(CursorLost):
        buffer.follow(f"{life}{number}")


async def test_a_finished_turn_keeps_only_its_end_once_everyone_has_read_it() -> None:
    buffer = LiveBuffer(events=1000, characters=10_000)
    reader = buffer.follow(None)
    said: list[LiveEvent] = [started("t1"), *(delta("t1", n) for n in range(1, 50)), finished("t1")]
    for event in said:
        buffer.append(event)
    assert buffer.events == len(said)
    assert [event for _, event in [await anext(reader) for _ in said]] == said
    assert buffer.events == 2


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("say"), st.text(max_size=6)),
            st.tuples(st.just("replace"), st.text(max_size=6)),
            st.tuples(st.just("finish"), st.text(max_size=6)),
            st.tuples(st.just("again"), st.just("")),
            st.tuples(st.just("read"), st.just("")),
        ),
        max_size=120,
    )
)
async def test_whatever_is_folded_away_every_reader_sees_the_same_text(steps: list[tuple[str, str]]) -> None:
    buffer = LiveBuffer(events=16, characters=10_000)
    reader = buffer.follow(None)
    seen: list[LiveEvent] = []
    turn, attempt, seq, truth = 1, 1, 0, ""
    buffer.append(started("t1"))
    for step, text in steps:
        seq += 1
        match step:
            case "say":
                truth += text
                buffer.append(Delta(turn=f"t{turn}", attempt=attempt, seq=seq, text=text))
            case "replace":
                truth = text
                buffer.append(TurnReplaced(turn=f"t{turn}", attempt=attempt, seq=seq, text=text))
            case "finish":
                buffer.append(finished(f"t{turn}", text))
                turn, attempt, seq, truth = turn + 1, 1, 0, ""
                buffer.append(started(f"t{turn}"))
            case "again":
                attempt, seq, truth = attempt + 1, 0, ""
                buffer.append(started(f"t{turn}", attempt))
            case _:
                reader = await _read_all(buffer, reader, seen)
        assert buffer.events <= 16
    await _read_all(buffer, reader, seen)
    late: list[LiveEvent] = []
    await _read_all(buffer, buffer.follow(None), late)
    assert shown(seen) == shown(late) == truth
    assert late[0] == started(f"t{turn}", attempt)


async def _read_all(buffer: LiveBuffer, reader: Follower, seen: list[LiveEvent]) -> Follower:
    try:
        while (found := buffer.after(reader.position)) is not None:
            seen.append((await anext(reader))[1])
            assert seen[-1] == found[1]
    except CursorLost:
        buffer.leave(reader)
        reader = buffer.follow(None)
        return await _read_all(buffer, reader, seen)
    return reader


async def test_idle_buffers_go_after_a_while_but_not_while_someone_follows() -> None:
    time = 0.0
    async with open_bus(LocalBusSettings(idle_seconds=60), now=lambda: time) as bus:
        await append(bus, started("t1"), room="idle")
        await append(bus, started("t2"), room="followed")
        async with bus.follow(key("idle")) as followed:
            cursor, _ = (await take(followed, 1))[0]
        async with bus.follow(key("followed")) as followed:
            time = 61
            bus.sweep()
            assert await events_of(followed, 1) == [started("t2")]
            with pytest.raises(CursorLost):
                async with bus.follow(key("idle"), after=cursor):
                    pass


async def test_beyond_the_cap_the_least_recently_used_buffer_goes_first() -> None:
    async with open_bus(LocalBusSettings(conversations=2)) as bus:
        cursors = {}
        for room in ("a", "b"):
            await append(bus, started("t1"), room=room)
            async with bus.follow(key(room)) as followed:
                cursors[room], _ = (await take(followed, 1))[0]
        await append(bus, delta("t1", 1), room="a")
        await append(bus, started("t1"), room="c")
        async with bus.follow(key("a"), after=cursors["a"]) as followed:
            assert await events_of(followed, 1) == [delta("t1", 1)]
        with pytest.raises(CursorLost):
            async with bus.follow(key("b"), after=cursors["b"]):
                pass


async def test_forgetting_a_conversation_tells_who_follows_it() -> None:
    async with open_bus(LocalBusSettings()) as bus, bus.follow(key()) as followed:
        waiting = asyncio.ensure_future(anext(followed))
        await asyncio.sleep(0)
        await bus.forget(key())
        with pytest.raises(CursorLost):
            await waiting


async def test_closing_the_bus_ends_its_readers_and_leaves_no_timer() -> None:
    async with open_bus(LocalBusSettings()) as bus, asyncio.TaskGroup() as group:

        async def listen() -> list[str]:
            async with bus.subscribe("wake") as texts:
                return [text async for text in texts]

        async def follow() -> list[LiveEvent]:
            async with bus.follow(key()) as followed:
                return [event async for _, event in followed]

        heard, followed = group.create_task(listen()), group.create_task(follow())
        await asyncio.sleep(0)
        await bus.publish("wake", "x")
        await append(bus, started("t1"))
        bus.close()
    assert heard.result() == ["x"]
    assert followed.result() == [started("t1")]
    with pytest.raises(ConnectionError, match="closed"):
        await bus.check()
