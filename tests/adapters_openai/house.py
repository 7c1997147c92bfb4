"""An engine served over the OpenAI protocol in this process, and the client that everybody uses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from openai import AsyncOpenAI

from adapters.openai import ServeSettings, open_server
from adapters.openai.server import OpenAIServer
from bot.ports import Engine

KEY = "a-key-for-tests-alone"
VARIABLE = "PARLEY_TEST_ENGINE_KEY"


@asynccontextmanager
async def served(engine: Engine, *, name: str = "tiny") -> AsyncIterator[OpenAIServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, KEY)
        async with open_server(ServeSettings(port=0, key_env=VARIABLE, name=name), engine) as server:
            serving = asyncio.create_task(server.serve())
            try:
                yield server
            finally:
                serving.cancel()
                await asyncio.wait({serving})


@asynccontextmanager
async def client_of(url: str, *, key: str = KEY) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=url, api_key=key, max_retries=0, timeout=20) as client:
        yield client
