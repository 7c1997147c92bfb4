"""The local engine: any causal language model with safetensors weights, in a process of its own.

Importing this imports neither torch nor tokenizers. The tree is the way of a request:

    client      the Engine port: renders, counts, bounds, hands out deltas        (main process)
    template    the model's chat template, sandboxed with limits
    tokens      text to token ids and, piece by piece, back
    folder      what a model folder holds and why it may be refused
    hub         fetches a model by its hub id
    process     starts the worker, passes frames, starts it again when it dies
    protocol    the frames between the two processes
    worker      the loop: take requests, step, send what came out                 (worker process)
    scheduler   who is read and who decodes in the next step
    sequence    one request under way
    threads     how many of them pay
    loading     the model of a folder, within the memory there is
    int8        linear layers in int8, every row scaled by itself
    adapter     what an adapter's folder holds and why it may be refused
    lora        low-rank updates, each row by its own adapter
    runner      the forwards
    cache       keys and values of the running rows
    prefixes    keys and values kept for prompts that begin alike
    constraints answers that must match a schema, an expression or a grammar
    sampling    the choice of the next token, row by row
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.engine.settings import EngineSettings
from bot.ports import Engine, Plugin


@asynccontextmanager
async def _open(settings: EngineSettings) -> AsyncIterator[Engine]:
    from bot.engine.client import open_engine  # noqa: PLC0415 - keeps tokenizers out of every import of the plugin

    async with open_engine(settings) as engine:
        yield engine


plugin: Plugin[EngineSettings, Engine] = Plugin(settings=EngineSettings, open=_open)
