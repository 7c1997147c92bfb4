"""Another way of generating, in a process of its own that speaks one line of JSON for one run."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.engine.spawn import environment
from bot.errors import EngineError, ModelRefused
from bot.measuring.answers import Answer, Ran
from bot.measuring.workloads import TokenPlan

RIVALS = {"generate": "transformers' generate, one at a time", "transformers": "transformers' continuous batching"}
_MODULES = {"generate": "bot.measuring.generate", "transformers": "bot.measuring.batching"}
_LINE = 1 << 28


class Rival:
    """A rival that has loaded the model."""

    def __init__(self, process: Process, name: str) -> None:
        self._process = process
        self.name = name
        self._last_words: deque[str] = deque(maxlen=30)

    async def run(self, plan: TokenPlan, told: Callable[[], None] = lambda: None) -> Ran:
        """Put the plan to it; `told` is called after each answer. Raises EngineError where it breaks down."""
        await self.send(plan.plain())
        while "answers" not in (said := await self.hear()):
            told()
        answers = sorted(said["answers"], key=lambda each: (each["conversation"], each["asked"]))
        found: list[list[Answer]] = [[] for _ in plan.conversations]
        for each in answers:
            number = each.pop("conversation")
            found[number].append(Answer(**{**each, "came": tuple(each["came"]), "tokens": tuple(each["tokens"])}))
        return Ran(found, said["memory"], said["computed"])

    async def send(self, values: dict[str, Any]) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write((json.dumps(values) + "\n").encode())
            await self._process.stdin.drain()

    async def hear(self) -> dict[str, Any]:
        line = await self._process.stdout.readline() if self._process.stdout is not None else b""
        if not line:
            code = await self._process.wait()
            words = self._last_words[-1] if self._last_words else "it left no word"
            raise EngineError(f"{self.name} ended (exit {code}): {words}")
        said: dict[str, Any] = json.loads(line)
        if "refused" in said:
            raise ModelRefused(said["refused"])
        return said

    async def keep_last_words(self) -> None:
        while self._process.stderr is not None and (line := await self._process.stderr.readline()):
            if text := line.decode("utf-8", "replace").strip():
                self._last_words.append(text[:500])


def command(kind: str) -> list[str]:
    """How a kind of RIVALS is started."""
    return [sys.executable, "-P", "-m", _MODULES[kind]]


@asynccontextmanager
async def rival(
    name: str, start: Sequence[str], *, folder: Path, precision: str, threads: int, device: str, **more: Any
) -> AsyncIterator[Rival]:
    """Start it and load the model; ended on leaving. Raises ModelRefused, EngineError."""
    quiet = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": str(threads)}
    process = await asyncio.create_subprocess_exec(
        *start, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=_LINE, env=environment(quiet)
    )
    found = Rival(process, name)
    listening = asyncio.create_task(found.keep_last_words())
    try:
        await found.send({"folder": str(folder), "precision": precision, "threads": threads, "device": device, **more})
        await found.hear()
        yield found
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening
