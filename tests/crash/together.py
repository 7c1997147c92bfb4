"""Short trials at the same time: most of what they do is wait."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from pathlib import Path
from typing import TypeVar

import pytest

from tests.crash.brood import brood
from tests.crash.report import Report
from tests.crash.trial import Faults, Ground, Scenario, on_sqlite, trial

Name = TypeVar("Name", bound=str)
Place = Callable[[Path], AbstractContextManager[Ground]]


def run(
    trials: Mapping[Name, tuple[Scenario, Faults]],
    folders: pytest.TempPathFactory,
    place: Place = lambda folder: nullcontext(on_sqlite(folder)),
) -> dict[Name, Report]:
    """Every trial's report, by its name; each takes place on ground of its own."""

    async def together() -> list[Report]:
        async with AsyncExitStack() as stack:
            nest = await stack.enter_async_context(brood())
            started = []
            for scenario, faults in trials.values():
                folder = folders.mktemp("trial")
                started.append(trial(scenario, stack.enter_context(place(folder)), folder, faults, nest=nest))
            return await asyncio.gather(*started)

    return dict(zip(trials, asyncio.run(together()), strict=True))
