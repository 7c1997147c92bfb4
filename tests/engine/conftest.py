from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import torch

from bot.engine.client import LocalEngine, open_engine
from bot.engine.settings import EngineSettings
from tests.engine.models import make_folder


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good model folder. Read only: copy it before you break it."""
    return make_folder(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def settings(folder: Path) -> Callable[..., EngineSettings]:
    def made(**changes: Any) -> EngineSettings:
        return EngineSettings(
            **{"model": str(folder), "device": "cpu", "slots": 4, "queue": 8, "threads": 1, **changes}
        )

    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(settings: Callable[..., EngineSettings]) -> AsyncIterator[LocalEngine]:
    """One loaded engine for a module's tests, which share its event loop."""
    async with open_engine(settings(), stall=3.0) as opened:
        await opened.wait_loaded()
        yield opened
