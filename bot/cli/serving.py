"""Runs the app until it is left, and turns SIGINT and SIGTERM into an orderly shutdown."""

import asyncio
import gc
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.app import App
    from bot.config import Loaded
    from bot.ports import Engine


def serve(
    loaded: "Loaded",
    *,
    channels: Sequence[str] | None = None,
    on_open: Callable[["App"], Coroutine[object, object, None]] | None = None,
    signals: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGTERM),
) -> bool:
    """Open the app and serve. Returns whether a signal ended it. Errors come out as they were raised."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(_serve(loaded, channels, on_open, signals))


def serve_console(loaded: "Loaded") -> None:
    """Serve the terminal alone. Where a running Parley has the database open, this conversation lives in memory."""
    from bot.app import chosen_model
    from bot.errors import StoreInUse

    try:
        serve(loaded, channels=("console",), signals=())
    except StoreInUse as error:
        print(f"parley: {error}; this conversation is kept in memory only", file=sys.stderr)
        engine = dict(loaded.settings.engine)
        if (chosen := asyncio.run(chosen_model(loaded))) is not None:
            engine["model"] = chosen
        changes = {"database_url": "sqlite+aiosqlite:///:memory:", "engine": engine}
        serve(replace(loaded, settings=loaded.settings.model_copy(update=changes)), channels=("console",), signals=())


async def tell_when_ready(engine: "Engine") -> None:
    """Say that the model is ready when it is. Raises ModelRefused."""
    from bot.models import until_ready

    began = time.monotonic()
    await until_ready(engine, again=True)
    typer.echo(f"The model is ready ({time.monotonic() - began:.1f} s).")


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's, which costs a turn less of the processor; Windows has none."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


async def _serve(
    loaded: "Loaded",
    channels: Sequence[str] | None,
    on_open: Callable[["App"], Coroutine[object, object, None]] | None,
    signals: Sequence[signal.Signals],
) -> bool:
    from bot.app import open_app

    interrupted = False
    loop = asyncio.get_running_loop()
    async with open_app(loaded, channels=channels) as app:
        gc.collect()
        gc.freeze()  # what is loaded by now stays: looking through it again would hold up every turn
        running = asyncio.create_task(app.run())
        opening = asyncio.create_task(on_open(app)) if on_open else None

        def leave() -> None:
            nonlocal interrupted
            interrupted = True
            running.cancel()

        for number in signals:
            loop.add_signal_handler(number, leave)
        try:
            if opening is not None:
                await asyncio.wait({running, opening}, return_when=asyncio.FIRST_COMPLETED)
                if opening.done():
                    opening.result()
            with suppress(asyncio.CancelledError):
                await running
        finally:
            for task in (running, opening):
                if task is not None:
                    task.cancel()
            await asyncio.wait([task for task in (running, opening) if task is not None])
            for number in signals:
                loop.remove_signal_handler(number)
    return interrupted
