"""Waits for a model to be loaded."""

import asyncio

from bot.errors import EngineDied, EngineError, ModelRefused
from bot.ports import Engine

_PAUSE = 0.1  # seconds


async def until_ready(engine: Engine, *, again: bool = False) -> None:
    """Return once it can answer. Raises ModelRefused where it never will, and EngineDied where it ended while it
    loaded, unless `again`: engines start themselves anew."""
    while True:
        try:
            await engine.check()
        except ModelRefused:
            raise
        except EngineError as error:
            if isinstance(error, EngineDied) and not again:
                raise
            await asyncio.sleep(_PAUSE)
        else:
            return
