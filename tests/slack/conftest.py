from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.sql import SqlSettings, SqlStore, open_store
from tests.blank import blank
from tests.slack.platform import Channel, SlackPlatform, User


@pytest.fixture
async def slack() -> AsyncIterator[SlackPlatform]:
    async with SlackPlatform() as slack:
        yield slack


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with open_store(SqlSettings(url=blank(tmp_path / "parley.db"))) as store:
        yield store


@pytest.fixture
def ann(slack: SlackPlatform) -> User:
    return slack.user("Ann")


@pytest.fixture(params=["streamed", "edited"])
def general(request: pytest.FixtureRequest, slack: SlackPlatform, ann: User) -> Channel:
    """A channel in which replies are streamed, and one in which they grow by edits."""
    if request.param == "edited":
        slack.faults.error("chat.startStream", "method_not_supported_for_channel_type", times=None)
    return slack.channel("general", [ann])
