"""The remote engine: a model that a fleet serves over the OpenAI protocol (vLLM, SGLang, Ray Serve, llama.cpp, Ollama).

The tree is the way of a request:

    engine      the Engine port: counts, bounds, hands out deltas
    counting    how many tokens a prompt has, exact or estimated
    asking      a prompt as the body of a request
    race        one attempt after another until an answer begins; hedging
    fleet       which endpoint is asked
    endpoint    one server: what is in flight there, how it is, its answers
    breaker     when an endpoint that fails is left alone
    answer      the pieces of one answer
    faults      what goes wrong, as errors of ours
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.engine.remote.settings import RemoteSettings
from bot.ports import Engine, Plugin


@asynccontextmanager
async def _open(settings: RemoteSettings) -> AsyncIterator[Engine]:
    from bot.engine.remote.engine import open_remote  # noqa: PLC0415 - keeps openai out of every import of the plugin

    async with open_remote(settings) as engine:
        yield engine


plugin: Plugin[RemoteSettings, Engine] = Plugin(settings=RemoteSettings, open=_open)
