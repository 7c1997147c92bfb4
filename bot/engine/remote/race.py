"""One attempt after another until an answer begins. Once one has, nothing is ever asked again."""

import asyncio
import random
from dataclasses import dataclass, field

from bot.engine.remote.asking import Asked
from bot.engine.remote.endpoint import Attempt, Endpoint
from bot.engine.remote.faults import Fault
from bot.engine.remote.fleet import Fleet

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0


@dataclass(slots=True, kw_only=True)
class Race:
    """`attempts` at most, each with `within` seconds to begin to answer. With `hedge`, another endpoint is asked as
    well after so many seconds of silence."""

    fleet: Fleet
    attempts: int
    within: float
    hedge: float | None
    faults: list[Fault] = field(default_factory=list)
    _tried: set[Endpoint] = field(default_factory=set)
    _running: dict["asyncio.Task[Fault | None]", Attempt] = field(default_factory=dict)

    async def run(self, asked: Asked, *, until: float) -> Attempt | None:
        """The first answer to begin; None where none does: then `faults` says why."""
        made: list[Attempt] = []
        winner: Attempt | None = None
        try:
            async with asyncio.TaskGroup() as group:
                try:
                    winner = await self._run(group, made, asked, until)
                finally:
                    for task in self._running:
                        task.cancel()
        finally:
            for attempt in made:
                if attempt is not winner:
                    await attempt.close()
        return winner

    async def _run(self, group: asyncio.TaskGroup, made: list[Attempt], asked: Asked, until: float) -> Attempt | None:
        while True:
            if endpoint := await self._next(asked, until):
                self.attempts -= 1
                self._tried.add(endpoint)
                attempt = endpoint.attempt()
                made.append(attempt)
                self._running[group.create_task(attempt.begin(asked, within=self.within, until=until))] = attempt
            if not self._running:
                return None
            patience = self.hedge if self.attempts else None
            done, _ = await asyncio.wait(self._running, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                attempt, fault = self._running.pop(task), task.result()
                if fault is None:
                    return attempt
                self.faults.append(fault)
            if any(fault.kind == "asked" for fault in self.faults):
                return None

    async def _next(self, asked: Asked, until: float) -> Endpoint | None:
        """An endpoint that was not asked yet; where all were and nothing runs, any one after a pause."""
        if not self.attempts:
            return None
        conversation = asked.prompt.conversation
        fresh = self.fleet.choose(conversation, besides=self._tried)
        if fresh is not None or self._running or not self._tried:
            return fresh
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (len(self.faults) - 1)) * random.uniform(0.5, 1.0)  # noqa: S311 - keeps replicas apart, no secret
        if asyncio.get_running_loop().time() + pause >= until:
            return None
        await asyncio.sleep(pause)
        self._tried.clear()
        return self.fleet.choose(conversation)
