"""Parley on Slack, before a stand-in for Slack in this process: acknowledgements, first words, repetitions, losses."""

import asyncio
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.benchmarks.report import Row, shown
from tests.e2e.server import Server
from tests.slack.platform import Channel, Settings, SlackPlatform, User

PEOPLE = 20
ANSWER = "You asked: {question}"
CALLS = ("chat.startStream", "chat.appendStream", "chat.stopStream")


async def rows() -> list[Row]:
    return [*await _pace(), *await _repeated(), *await _lost(), *await _reconnected()]


async def _pace(*, seconds: int = 20, each: int = 50) -> list[Row]:
    """50 events a second; then one question after the other, from the event to the first text that is seen."""
    async with _serving(SlackPlatform()) as (slack, rooms):
        asked: list[str] = []
        began = time.monotonic()
        for number in range(seconds * each):
            user, room = rooms[number % PEOPLE]
            asked.append(await slack.say(user, room, f"number {number}"))
            await asyncio.sleep(max(0.0, began + (number + 1) / each - time.monotonic()))
        await slack.settle()
        acknowledged = f"p50 {slack.ack_seconds(50) * 1000:.1f} ms, p99 {slack.ack_seconds(99) * 1000:.1f} ms"
        wrong = await _wrong(slack, rooms, asked)
        first: list[float] = []
        for number in range(100):
            user, room = rooms[number % PEOPLE]
            began = time.monotonic()
            ts = await slack.say(user, room, f"again {number}")
            await slack.until(lambda room=room, ts=ts: _text(slack, room, ts))  # type: ignore[misc] # bound at once
            first.append(time.monotonic() - began)
            await slack.finished(room, ts)
    return [
        Row(f"Slack, {each} events a second: acknowledged", f"{acknowledged}; {wrong}"),
        Row("Slack, from the event to the first text", shown(first)),
    ]


async def _repeated(*, events: int = 1_000) -> list[Row]:
    """Every event comes twice at once, and twice again a second later."""
    async with _serving(SlackPlatform(Settings(retry_after=(0, 1, 2)))) as (slack, rooms):
        slack.faults.duplicate("*", copies=2)
        slack.faults.redeliver("*", after=1.0, times=events)
        asked = await _ask(slack, rooms, events)
        await slack.settle()
        wrong = await _wrong(slack, rooms, asked)
        came = sum(delivery.name == "message" for delivery in slack.deliveries)
        acknowledged = f"acknowledged p99 {slack.ack_seconds(99) * 1000:.0f} ms"
    return [Row(f"Slack, {events:,} events delivered {came / events:.0f} times", f"{wrong}; {acknowledged}")]


async def _lost(*, answers: int = 1_000) -> list[Row]:
    """The answers of 1,000 calls that show something never come back."""
    async with _serving(SlackPlatform()) as (slack, rooms):
        armed = [slack.faults.lose_answer(method, times=None, rate=0.25) for method in (*CALLS, "chat.update")]
        asked: list[str] = []
        while sum(fault.fired for fault in armed) < answers:
            some = await _ask(slack, rooms, 400)
            await _wrong(slack, rooms, some)
            asked += some
        slack.faults.clear()
        wrong = await _wrong(slack, rooms, asked)
        lost = sum(fault.fired for fault in armed)
    return [Row(f"Slack, {lost:,} lost answers in {len(asked):,} replies", wrong)]


async def _reconnected(*, times: int = 20) -> list[Row]:
    async with _serving(SlackPlatform()) as (slack, rooms):
        asked: list[str] = []
        for number in range(times):
            asked += await _ask(slack, rooms, 5)
            if number % 2:
                slack.sockets.abort()
            else:
                await slack.disconnect("refresh_requested")
            asked += await _ask(slack, rooms, 5)
            await slack.until(lambda: slack.sockets.connections, seconds=30)
        await slack.settle()
        wrong = await _wrong(slack, rooms, asked)
    return [Row(f"Slack, {times} reconnections, {len(asked)} messages", wrong)]


@asynccontextmanager
async def _serving(platform: SlackPlatform) -> AsyncIterator[tuple[SlackPlatform, Sequence[tuple[User, Channel]]]]:
    """A `parley run` that is connected, and people with their DMs."""
    async with platform as slack:
        with tempfile.TemporaryDirectory() as folder:
            server = Server(Path(folder), answer=ANSWER, delay=0)
            server.settings["limits"] = {"user": None, "conversation": None}
            server.settings["channels"]["slack"] = {
                "api_url": slack.api_url,
                "bot_token": slack.bot_token,
                "app_token": slack.app_token,
                "personas": {"default": "free"},
            }
            await server.start()
            try:
                await slack.until(lambda: slack.sockets.connections, seconds=20)
                people = [slack.user(f"Ann {number}") for number in range(PEOPLE)]
                yield slack, [(user, slack.dm(user)) for user in people]
            finally:
                await server.end(signal.SIGTERM)


async def _ask(slack: SlackPlatform, rooms: Sequence[tuple[User, Channel]], count: int) -> list[str]:
    return [await slack.say(*rooms[number % PEOPLE], f"number {number}") for number in range(count)]


async def _wrong(slack: SlackPlatform, rooms: Sequence[tuple[User, Channel]], asked: Sequence[str]) -> str:
    """How many were answered not at all, or twice; once all are or two minutes have passed."""
    room_of = {ts: room for _, room in rooms for ts in room.messages}

    def answers(ts: str) -> list[str]:
        done = (message for message in slack.answers(room_of[ts], ts) if message.streaming != "in_progress")
        return [message.text for message in done]

    def right(ts: str) -> bool:
        return answers(ts) == [f"You asked: {room_of[ts].messages[ts].text}"]

    for _ in range(1_200):
        if all(map(right, asked)):
            break
        await asyncio.sleep(0.1)
    missing = sum(not answers(ts) for ts in asked)
    doubled = sum(len(answers(ts)) > 1 for ts in asked)
    other = sum(not right(ts) for ts in asked) - missing - doubled
    return f"{missing} missing, {doubled} doubled, {other} wrong of {len(asked):,}"


def _text(slack: SlackPlatform, room: Channel, ts: str) -> bool:
    return any(message.text for message in slack.answers(room, ts))
