"""Edits keep the pace the platform bears, and the last text is never lost. All in virtual time."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.shared.pacing import Gate, Pace, pacing
from bot.errors import ChannelBusy
from tests.adapters_shared.virtual import VirtualTime

EVERY = timedelta(seconds=1)


class Platform:
    """Takes edits, each for `takes` seconds, and asks to wait where `busy` says so."""

    def __init__(
        self, time: VirtualTime, *, takes: float = 0.0, busy: list[float] | None = None, raises: bool = False
    ) -> None:
        self.time = time
        self.takes = takes
        self.busy = list(busy or [])
        self.raises = raises
        self.calls: list[tuple[float, str, float]] = []
        self.taken: list[str] = []
        self.in_flight = 0

    async def send(self, text: str) -> timedelta | None:
        assert self.in_flight == 0
        self.in_flight += 1
        begun = self.time.now
        await self.time.sleep(self.takes)
        self.in_flight -= 1
        wait = self.busy.pop(0) if self.busy else 0.0
        self.calls.append((begun, text, wait))
        if not wait:
            self.taken.append(text)
            return None
        if self.raises:
            raise ChannelBusy("too fast", wait=timedelta(seconds=wait))
        return timedelta(seconds=wait)


waits = st.lists(st.sampled_from([0.0, 0.0, 0.5, 3.0, 40.0]), max_size=12)
gaps = st.lists(st.sampled_from([0.0, 0.01, 0.3, 1.0, 7.0]), max_size=40)


@given(gaps, waits, st.sampled_from([0.0, 0.2, 2.0]), st.booleans())
def test_every_edit_keeps_its_distance_and_the_newest_text_is_shown_at_last(
    gaps: list[float], busy: list[float], takes: float, raises: bool
) -> None:
    time = VirtualTime()
    platform = Platform(time, takes=takes, busy=busy, raises=raises)

    async def reply() -> None:
        async with pacing(platform.send, every=EVERY, clock=time.clock, sleep=time.sleep) as pace:
            for number, gap in enumerate(gaps):
                pace.update(f"text {number}")
                await time.sleep(gap)

    time.run(reply())
    assert platform.taken[-1:] == ([f"text {len(gaps) - 1}"] if gaps else [])
    assert platform.taken == sorted(set(platform.taken), key=lambda text: int(text.split()[1]))
    for (begun, _, wait), (next_begun, _, _) in pairwise(platform.calls):
        assert next_begun >= begun + takes + max(wait, EVERY.total_seconds()) - 1e-6


def test_the_first_text_goes_out_at_once_and_the_rest_together() -> None:
    time = VirtualTime()
    platform = Platform(time)

    async def reply() -> None:
        async with pacing(platform.send, every=EVERY, clock=time.clock, sleep=time.sleep) as pace:
            for text in ("a", "ab", "abc"):
                pace.update(text)
                await time.sleep(0.1)

    time.run(reply())
    assert [(begun, text) for begun, text, _ in platform.calls] == [(0.0, "a"), (1.0, "abc")]


def test_a_text_that_is_shown_already_is_not_sent_again() -> None:
    time = VirtualTime()
    platform = Platform(time)

    async def reply() -> None:
        async with pacing(platform.send, every=EVERY, clock=time.clock, sleep=time.sleep) as pace:
            pace.update("same")
            await pace.finish()
            pace.update("same")
            await time.sleep(10)

    time.run(reply())
    assert platform.taken == ["same"]


def test_the_pace_slows_down_when_the_platform_is_busy_and_recovers() -> None:
    time = VirtualTime()
    platform = Platform(time, busy=[5.0, 5.0])
    seen: list[float] = []

    async def reply() -> None:
        async with pacing(platform.send, every=EVERY, clock=time.clock, sleep=time.sleep) as pace:
            for number in range(20):
                pace.update(str(number))
                await pace.finish()
                seen.append(pace.interval.total_seconds())

    time.run(reply())
    assert seen[0] > 2
    assert seen[-1] == 1.0
    assert seen == sorted(seen, reverse=True)


def test_the_interval_never_passes_its_longest() -> None:
    time = VirtualTime()
    platform = Platform(time, busy=[0.1] * 12)

    async def reply() -> timedelta:
        longest = timedelta(seconds=8)
        async with pacing(platform.send, every=EVERY, longest=longest, clock=time.clock, sleep=time.sleep) as pace:
            pace.update("text")
            await pace.finish()
            return pace.interval

    assert time.run(reply()) <= timedelta(seconds=8)


async def _refuse(text: str) -> None:
    raise ValueError(text)


def test_the_error_of_an_edit_is_raised_at_the_next_update_and_at_the_end() -> None:
    time = VirtualTime()

    async def reply() -> None:
        async with pacing(_refuse, every=EVERY, clock=time.clock, sleep=time.sleep) as pace:
            pace.update("first")
            await time.sleep(1)
            with pytest.raises(ValueError, match="first"):
                pace.update("second")
            with pytest.raises(ValueError, match="first"):
                await pace.finish()

    with pytest.raises(ValueError, match="first"):
        time.run(reply())


def test_a_reply_that_is_cut_short_stops_its_writer() -> None:
    time = VirtualTime()
    platform = Platform(time, takes=5.0)

    async def reply() -> None:
        async with pacing(platform.send, every=EVERY, clock=time.clock, sleep=time.sleep) as pace:
            pace.update("text")
            await time.sleep(1)
            raise KeyError("stopped")

    with pytest.raises(KeyError):
        time.run(reply())
    assert platform.taken == []


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([0.0, 0.3, 2.0])), max_size=30),
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from([0.0, 1.5, 9.0]), st.sampled_from([0.5, 4.0])), max_size=4
    ),
)
def test_a_gate_keeps_turns_apart_in_order_and_behind_holds(
    calls: list[tuple[str, float]], holds: list[tuple[str, float, float]]
) -> None:
    time = VirtualTime()
    turns: list[tuple[str, int, float]] = []
    held: list[tuple[str, float, float]] = []

    async def call(gate: Gate, key: str, number: int) -> None:
        await gate.turn(key)
        turns.append((key, number, time.now))

    async def hold(gate: Gate, key: str, after: float, wait: float) -> None:
        await time.sleep(after)
        gate.hold(key, timedelta(seconds=wait))
        held.append((key, time.now, time.now + wait))

    async def everyone() -> None:
        gate = Gate(every=EVERY, clock=time.clock, sleep=time.sleep)
        async with asyncio.TaskGroup() as group:
            for key, after, wait in holds:
                group.create_task(hold(gate, key, after, wait))
            for number, (key, gap) in enumerate(calls):
                group.create_task(call(gate, key, number))
                await time.sleep(gap)
        await time.sleep(100)
        await gate.turn("new")
        assert len(gate) == 1

    time.run(everyone())
    for key in "abc":
        mine = [(number, at) for other, number, at in turns if other == key]
        assert [number for number, _ in mine] == sorted(number for number, _ in mine)
        assert all(later - sooner >= 1 - 1e-6 for (_, sooner), (_, later) in pairwise(mine))
        for _, at in mine:
            assert not any(other == key and begun < at < end - 1e-6 for other, begun, end in held)
    assert len(turns) == len(calls)


def test_replies_in_one_place_share_its_gate_and_one_that_must_wait_holds_all() -> None:
    time = VirtualTime()
    platforms = [Platform(time, busy=[10.0]), Platform(time)]

    async def reply(gate: Gate, platform: Platform) -> None:
        how = {"gate": gate, "key": "C1"}
        async with pacing(platform.send, every=EVERY, clock=time.clock, sleep=time.sleep, **how) as pace:  # type: ignore[arg-type] # shared by both
            pace.update("text")

    async def both() -> None:
        gate = Gate(every=EVERY, clock=time.clock, sleep=time.sleep)
        async with asyncio.TaskGroup() as group:
            for platform in platforms:
                group.create_task(reply(gate, platform))

    time.run(both())
    assert all(platform.taken == ["text"] for platform in platforms)
    assert platforms[1].calls[0][0] >= 10.0


def test_who_comes_just_when_the_gate_opens_stands_behind_those_who_wait() -> None:
    time = VirtualTime()
    order: list[str] = []

    async def call(gate: Gate, name: str, after: float) -> None:
        await time.sleep(after)
        await gate.turn("a")
        order.append(name)

    async def everyone() -> None:
        gate = Gate(every=EVERY, clock=time.clock, sleep=time.sleep)
        await gate.turn("a")
        async with asyncio.TaskGroup() as group:
            group.create_task(call(gate, "late", 1.0))
            group.create_task(call(gate, "early", 0.0))

    time.run(everyone())
    assert order == ["early", "late"]


def test_a_caller_that_leaves_the_gate_does_not_stop_those_behind() -> None:
    time = VirtualTime()

    async def leave() -> float:
        gate = Gate(every=EVERY, clock=time.clock, sleep=time.sleep)
        await gate.turn("a")
        leaving = asyncio.create_task(gate.turn("a"))
        staying = asyncio.create_task(gate.turn("a"))
        await time.sleep(0.5)
        leaving.cancel()
        await staying
        return time.now

    assert time.run(leave()) == 1.0


def test_a_pace_starts_with_nothing_shown() -> None:
    time = VirtualTime()

    async def look() -> str | None:
        async with pacing(_refuse, every=EVERY, clock=time.clock, sleep=time.sleep) as pace:
            assert isinstance(pace, Pace)
            return pace.shown

    assert time.run(look()) is None
