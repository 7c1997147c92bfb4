"""Parley on Discord, before a stand-in for Discord in this process: first words, edits, an outage, two replicas."""

import asyncio
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from tests.benchmarks.report import Row, shown
from tests.discord.platform import Limit, Platform
from tests.discord.platform.world import Json
from tests.e2e.server import Server
from tests.postgres_server import PostgresServer

PEOPLE = 20
EDIT = "/channels/{channel_id}/messages/{message_id}"
CREATE = "/channels/{channel_id}/messages"
USUAL = Limit(5, 5.0)
WORDS = " ".join(f"word{number}" for number in range(200))


async def rows() -> list[Row]:
    return [*await _pace(), await _edits(), await _outage(), *await two_replicas()]


async def _pace(*, questions: int = 100) -> list[Row]:
    """One question after the other, from the message to the first text that is seen."""
    async with Platform.running() as discord, _serving(discord, count=1):
        ada, first = discord.person("Ada"), list[float]()
        room = discord.dm(ada)
        for number in range(questions):
            began = time.monotonic()
            await discord.say(ada, room, f"number {number}")
            await discord.until(lambda: len(discord.posts(room)) > number)  # noqa: B023 # used at once
            first.append(time.monotonic() - began)
            await discord.until(lambda: all(map(_is_done, discord.posts(room))))
        return [Row("Discord, from the message to the first text", shown(first)), _requests(discord)]


async def _edits() -> Row:
    """A reply of 200 words that takes 20 s, under Discord's usual five edits in five seconds."""
    async with Platform.running() as discord, _serving(discord, count=1, answer=WORDS, delay=0.1):
        ada = discord.person("Ada")
        discord.limits.routes |= {f"PATCH {EDIT}": USUAL, f"POST {CREATE}": USUAL}
        room = discord.dm(ada)
        began = time.monotonic()
        await discord.say(ada, room, "tell me")
        await discord.until(lambda: discord.posts(room) and _is_done(discord.posts(room)[0]), seconds=60)
        took, edits = time.monotonic() - began, discord.count("PATCH", EDIT)
    return Row("Discord, edits of a reply of 20 s", f"{edits} in {took:.0f} s, {discord.limits.refused} refused")


async def _outage(*, away: timedelta = timedelta(minutes=10), messages: int = 200) -> Row:
    """Nobody reaches the gateway for ten minutes, and the session is over then."""
    async with Platform.running() as discord, _serving(discord, count=1):
        places = _rooms(discord)
        asked = await _ask(discord, places, 40)
        await _answered(discord, asked)
        await asyncio.sleep(5)
        await discord.gateway.go_offline()
        for number in range(messages):
            asked += await _ask(discord, places[number % PEOPLE :][:1], 1, start=100 + number)
            await asyncio.sleep(away.total_seconds() / messages)
        for session in list(discord.gateway.sessions.values()):
            discord.gateway.end(session)
        discord.gateway.accepting = True
        began = time.monotonic()
        await discord.until(discord.gateway.hearers, seconds=300)
        back = time.monotonic() - began
        wrong = await _answered(discord, asked)
        return Row(
            f"Discord, {away.total_seconds() / 60:g} minutes offline",
            f"{wrong}; reconnected after {back:.0f} s, {len(discord.gateway.identifies)} IDENTIFY",
        )


async def two_replicas(*, messages: int = 1_000, kills: int = 8) -> list[Row]:
    """Two replicas on PostgreSQL; one in ten answers to a post is lost, and replicas are killed in turn."""
    async with Platform.running() as discord, _serving(discord, count=2) as servers:
        discord.fail(method="POST", path=CREATE, lost=True, share=0.1)
        places, asked, gaps = _rooms(discord), list[tuple[Json, Json]](), list[float]()
        for kill in range(kills):
            asked += await _ask(discord, places, messages // kills, start=kill * 1000, rest=0.05)
            server = servers[kill % 2]
            await server.end(signal.SIGKILL)
            began = time.monotonic()
            await discord.until(discord.gateway.hearers, seconds=60)
            gaps.append(time.monotonic() - began)
            await server.start()
        wrong = await _answered(discord, asked)
        taken = f"gateway back after {max(gaps):.1f} s at most, {len(discord.gateway.identifies)} IDENTIFY"
        return [
            Row(f"Discord, two replicas, {len(asked):,} messages, {kills} kills", f"{wrong}; {taken}"),
            _requests(discord),
        ]


@asynccontextmanager
async def _serving(
    discord: Platform, *, count: int, answer: str = "You asked: {question}", delay: float = 0.0
) -> AsyncIterator[Sequence[Server]]:
    """Replicas of `parley run`, of which one is connected; several share a PostgreSQL."""
    async with AsyncExitStack() as stack:
        database = None
        if count > 1:
            postgres = stack.enter_context(PostgresServer())
            database = postgres.url(stack.enter_context(postgres.database()))
        servers: list[Server] = []
        for _ in range(count):
            server = Server(Path(stack.enter_context(tempfile.TemporaryDirectory())), answer=answer, delay=delay)
            server.settings["limits"] = {"user": None, "conversation": None}
            if database is not None:
                server.settings["database_url"] = database
            server.settings["channels"]["discord"] = {
                "token": discord.token,
                "api_url": discord.api,
                "gateway_url": discord.gateway.url,
                "personas": {"default": "free"},
            }
            await server.start()
            stack.push_async_callback(server.end, signal.SIGTERM)
            servers.append(server)
        await discord.until(discord.gateway.hearers, seconds=30)
        yield servers


def _rooms(discord: Platform) -> list[tuple[Json, Json]]:
    guild = discord.guild()
    people = [discord.person(f"Ann {number}") for number in range(PEOPLE)]
    return [
        (person, discord.dm(person) if number % 2 else discord.channel(guild, f"room{number}"))
        for number, person in enumerate(people)
    ]


async def _ask(
    discord: Platform, places: Sequence[tuple[Json, Json]], count: int, *, start: int = 0, rest: float = 0.0
) -> list[tuple[Json, Json]]:
    asked = []
    for number in range(count):
        person, room = places[number % len(places)]
        asked.append((room, await discord.say(person, room, f"{discord.mention} number {start + number}")))
        await asyncio.sleep(rest)
    return asked


async def _answered(discord: Platform, asked: Sequence[tuple[Json, Json]]) -> str:
    """How many were answered not at all, twice, or out of order; once all are or three minutes have passed."""

    def wanted(message: Json) -> str:
        return f"number {message['content'].rpartition(' ')[2]}"

    def found(room: Json) -> list[str]:
        lines = (line for post in discord.posts(room) if _is_done(post) for line in post["content"].splitlines())
        return [line.removeprefix("You asked: ") for line in lines]

    for _ in range(180):
        if all(wanted(message) in found(room) for room, message in asked):
            break
        await asyncio.sleep(1)
    missing = doubled = swapped = 0
    for room in {room["id"]: room for room, _ in asked}.values():
        want, have = [wanted(message) for place, message in asked if place is room], found(room)
        missing += sum(text not in have for text in want)
        doubled += sum(have.count(text) > 1 for text in want)
        kept = [text for text in dict.fromkeys(have) if text in want]
        swapped += sum(mine != other for mine, other in zip(kept, [text for text in want if text in kept], strict=True))
    return f"{missing} missing, {doubled} doubled, {swapped} out of order of {len(asked):,}"


def _requests(discord: Platform) -> Row:
    checks = discord.checks
    return Row("Discord, request bodies", f"{checks.validated:,} validated, {len(checks.rejected)} rejected")


def _is_done(post: Json) -> bool:
    return any(":again:" in button["custom_id"] for row in post["components"] for button in row["components"])
