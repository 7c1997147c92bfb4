"""A replica to test with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.testing import FakeChannel, ScriptedEngine
from storage.local import plugin as local
from storage.sql import plugin as sql
from tests.blank import blank
from tests.core.replica import Replica, echo


@pytest.fixture
async def replica(tmp_path: Path) -> AsyncIterator[Replica]:
    settings = sql.settings(url=blank(tmp_path / "parley.db"))
    async with sql.open(settings) as store, local.open(local.settings()) as shared:
        yield Replica(store, shared.bus, ScriptedEngine(echo), FakeChannel())
