import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.discord.house import database, heartbeats
from tests.discord.platform import Platform


@pytest.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Platform]:
    """A Discord of the test's own, which wants new sessions a moment apart rather than five seconds; at the end,
    everything the bot sent must have been in order, and nothing goes on."""
    monkeypatch.setattr("adapters.discord.starts.APART", timedelta(seconds=0.25))
    async with Platform.running() as platform:
        platform.gateway.apart = 0.2
        yield platform
        assert platform.checks.rejected == []
    for thread in heartbeats():
        await asyncio.to_thread(thread.join, 1)  # it was told to end, and looks at once
    assert heartbeats() == []


@pytest.fixture
def url(tmp_path: Path) -> str:
    return database(tmp_path)
