"""The remote engine keeps the contract of the Engine port, before our own server with a real model behind it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from bot.engine.client import open_engine
from bot.engine.remote.engine import RemoteEngine
from bot.engine.settings import EngineSettings
from bot.ports import Engine
from tests.adapters_openai.house import served
from tests.conformance.engine import BoundedEngineContract, EngineContract, answer, ask
from tests.engine.remote.house import remote

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(settings: Callable[..., EngineSettings]) -> AsyncIterator[str]:
    async with open_engine(settings(), stall=3.0) as engine:
        await engine.wait_loaded()
        async with served(engine) as server:
            yield server.address


class TestRemoteEngineWithTheModelsTokenizer(BoundedEngineContract):
    @pytest_asyncio.fixture(loop_scope="module")
    async def engine(self, address: str, folder: Path) -> AsyncIterator[Engine]:
        async with remote([address], tokenizer=folder) as engine:
            yield engine

    async def test_it_knows_the_context_from_its_endpoints(self, engine: RemoteEngine) -> None:
        assert engine.context == 256
        assert engine.caution == ()

    async def test_reused_tokens_are_told(self, engine: RemoteEngine) -> None:
        _, finished = await answer(engine, ask("hello", engine=engine))
        assert 0 <= finished.cached_tokens <= finished.prompt_tokens


class TestRemoteEngineThatEstimates(EngineContract):
    @pytest_asyncio.fixture(loop_scope="module")
    async def engine(self, address: str) -> AsyncIterator[Engine]:
        async with remote([address]) as engine:
            yield engine

    async def test_finished_counts_the_prompt_as_count_tokens_does(self, engine: Engine) -> None:
        """Not quite: what is finished tells the server's count, which the estimate shall not lie far below."""
        prompt = ask("one two three 四五六", engine=engine)
        _, finished = await answer(engine, prompt)
        assert finished.prompt_tokens <= 2 * engine.count_tokens(prompt.messages)
        assert "estimated" in engine.caution[0]

    async def test_it_learns_from_the_server_where_it_counted_too_low(self, engine: Engine) -> None:
        prompt = ask("zq xj kv wy " * 14, engine=engine)
        before = engine.count_tokens(prompt.messages)
        _, finished = await answer(engine, prompt)
        assert before < finished.prompt_tokens <= engine.count_tokens(prompt.messages)
