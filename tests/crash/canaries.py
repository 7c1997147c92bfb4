"""Cancelled requests through the engine's real worker: nobody gets a byte of another's answer, nothing is left behind.

A user's seeded answer is known beforehand, and each begins differently; whatever a request got before it was
cancelled must be the beginning of its own user's answer.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from bot.engine.client import LocalEngine
from bot.types import Prompt, TextDelta
from tests.conformance.engine import answer, ask

USERS = 12
TOKENS = 24


@dataclass(slots=True)
class Canaries:
    """`foreign` are requests that got something other than the beginning of their own user's answer."""

    cancelled: int = 0
    finished: int = 0
    foreign: int = 0


def prompt_of(engine: LocalEngine, user: int) -> Prompt:
    return ask(f"I am user {user}, my secret is canary{user}", engine=engine, max_tokens=TOKENS, seed=user)


async def known_answers(engine: LocalEngine) -> list[str]:
    """Each user's whole answer, asked for alone."""
    return [(await answer(engine, prompt_of(engine, user)))[0] for user in range(USERS)]


async def cancel_many(
    engine: LocalEngine, known: list[str], count: int, *, seed: int, told: Callable[[float], None] = lambda share: None
) -> Canaries:
    """Ask `count` times, as many at once as the engine has slots, and leave most of them after a few words."""
    found = Canaries()
    chance = random.Random(seed)
    ready = await engine.wait_loaded()
    places = asyncio.Semaphore(ready.slots)

    async def one(user: int, events: int) -> None:
        got = ""
        async with places, aclosing(engine.generate(prompt_of(engine, user))) as generated:
            async for event in generated:
                if not isinstance(event, TextDelta):
                    found.finished += 1
                    break
                got += event.text
                events -= 1
                if events <= 0:
                    found.cancelled += 1
                    break
        if not known[user].startswith(got):
            found.foreign += 1
        told((found.cancelled + found.finished) / count)

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            whole = chance.random() < 0.02
            group.create_task(one(chance.randrange(USERS), 10**6 if whole else chance.randint(1, 6)))
    return found
