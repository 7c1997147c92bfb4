"""`parley run` as a process, with an instant engine and no limits that a crowd of one visitor would meet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.e2e.server import Server, running

PLENTY = {"burst": 1_000_000, "per_minute": 1_000_000}
TOKENS = ("word", *[" word"] * 19)
ANSWER = "".join(TOKENS)


@asynccontextmanager
async def parley(folder: Path, **settings: Any) -> AsyncIterator[Server]:
    """`settings` are sections of parley.yaml beside the usual ones."""
    limits = {"user": PLENTY, "conversation": PLENTY}
    async with running(folder, answer=ANSWER, delay=0, limits=limits, **settings) as server:
        yield server
