"""Browsers that lose their connection, and a server that is killed: what they show in the end is what is stored."""

import asyncio
import random
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass

import httpx

from tests.e2e.server import Client, Server

ANSWER = "You said {question}. " + " ".join(f"word{number}" for number in range(25))


@dataclass(slots=True)
class Browsing:
    """`wrong` are turns whose shown text differs from the stored one; `lost` and `doubled` messages by their number."""

    cuts: int = 0
    kills: int = 0
    turns: int = 0
    wrong: int = 0
    lost: int = 0
    doubled: int = 0


async def browse(
    server: Server,
    *,
    browsers: int,
    cuts: int,
    kills: int = 0,
    seed: int,
    told: Callable[[float], None] = lambda share: None,
) -> Browsing:
    """Chat until there were so many cuts and kills, then look what everyone sees."""
    found = Browsing()
    over = asyncio.Event()

    async def kill() -> None:
        chance = random.Random(seed)
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            await server.end(signal.SIGKILL)
            await server.start()
            found.kills += 1

    def judge() -> None:
        told(min(1.0, (found.cuts + found.kills) / (cuts + kills)))
        if found.cuts >= cuts and found.kills >= kills:
            over.set()

    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        clients = [await stack.enter_async_context(Client(server)) for _ in range(browsers)]
        group.create_task(kill())
        for number, client in enumerate(clients):
            group.create_task(_chat(client, found, over, judge, random.Random(f"{seed} {number}")))
    return found


async def _chat(
    client: Client, found: Browsing, over: asyncio.Event, judge: Callable[[], None], chance: random.Random
) -> None:
    asked: dict[str, str] = {}
    while not over.is_set():
        text = f"message {len(asked)}"
        turn = await _say(client, text)
        asked[turn] = text
        while turn not in client.finished:
            await _watch(client, turn, chance.randint(1, 40), found)
            judge()
    messages = await client.messages()
    while len(messages) % 100 == 0 and messages:
        older = await client.messages(before=messages[0]["id"])
        if not older:
            break
        messages = [*older, *messages]
    stored = [(m["turn"], m["text"]) for m in messages if m["role"] == "assistant"]
    questions = [m["text"] for m in messages if m["role"] == "user"]
    found.turns += len(asked)
    found.wrong += sum(client.shown[turn] != text for turn, text in stored)
    found.wrong += sum(
        asked[turn] not in client.shown[turn] for turn in asked if client.finished[turn]["status"] == "done"
    )
    found.lost += len(set(asked) - {turn for turn, _ in stored}) + len(set(asked.values()) - set(questions))
    found.doubled += len(questions) - len(set(questions)) + len(stored) - len({turn for turn, _ in stored})


async def _say(client: Client, text: str) -> str:
    """Until it is confirmed, as the widget does: the same client id each time."""
    while True:
        try:
            answer = await client.say(text, client_id=text.replace(" ", "-"))
        except httpx.TransportError:
            await asyncio.sleep(0.05)
        else:
            turn: str = answer["turn"]
            return turn


async def _watch(client: Client, turn: str, events: int, found: Browsing) -> None:
    """Follow for so many events, then pull the plug."""
    try:
        async with aclosing(client.follow()) as following:
            async for _ in following:
                events -= 1
                if turn in client.finished:
                    return
                if events <= 0:
                    found.cuts += 1
                    return
    except httpx.TransportError:
        await asyncio.sleep(0.05)
