from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.discord.house import database
from tests.discord.platform import Platform


@pytest.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Platform]:
    """A Discord of the test's own, which wants new sessions a moment apart rather than five seconds; at the end,
    everything the bot sent must have been in order."""
    monkeypatch.setattr("adapters.discord.starts.APART", timedelta(seconds=0.25))
    async with Platform.running() as platform:
        platform.gateway.apart = 0.2
        yield platform
        assert platform.checks.rejected == []


@pytest.fixture
def url(tmp_path: Path) -> str:
    return database(tmp_path)
