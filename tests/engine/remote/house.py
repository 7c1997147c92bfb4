"""A remote engine before servers of our own, with proxies between them that misbehave on demand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bot.engine.remote.engine import RemoteEngine, open_remote
from bot.engine.remote.settings import RemoteSettings
from bot.ports import Engine
from tests.adapters_openai.house import KEY, VARIABLE, served
from tests.engine.remote.proxy import Proxy, proxy


def settings_of(endpoints: Sequence[str], **changes: Any) -> RemoteSettings:
    usual: dict[str, Any] = {
        "model": "tiny",
        "key_env": VARIABLE,
        "connect_seconds": 10.0,
        "first_seconds": 10.0,
        "idle_seconds": 10.0,
        "deadline": 20.0,
    }
    return RemoteSettings(endpoints=tuple(endpoints), **{**usual, **changes})


@asynccontextmanager
async def remote(endpoints: Sequence[str], **changes: Any) -> AsyncIterator[RemoteEngine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, KEY)
        async with open_remote(settings_of(endpoints, **changes)) as engine:
            await engine.probe()
            yield engine


@dataclass(kw_only=True)
class Fleet:
    engine: RemoteEngine
    proxies: list[Proxy]

    @property
    def questions(self) -> list[int]:
        return [each.questions for each in self.proxies]


@asynccontextmanager
async def fleet(*behind: Engine, **changes: Any) -> AsyncIterator[Fleet]:
    """Each engine on a server of its own, behind a proxy of its own."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(served(engine)) for engine in behind]
        proxies = [await stack.enter_async_context(proxy(server.address)) for server in servers]
        engine = await stack.enter_async_context(remote([each.url for each in proxies], **changes))
        yield Fleet(engine=engine, proxies=proxies)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)
