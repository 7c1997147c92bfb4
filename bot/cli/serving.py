"""Runs the app until it is left, and turns SIGINT and SIGTERM into an orderly shutdown."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.app import App
    from bot.config import Loaded


def serve(
    loaded: "Loaded",
    *,
    channels: Sequence[str] | None = None,
    on_open: Callable[["App"], Coroutine[object, object, None]] | None = None,
    signals: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGTERM),
) -> bool:
    """Open the app and serve. Returns whether a signal ended it. Errors come out as they were raised."""
    return asyncio.run(_serve(loaded, channels, on_open, signals))


def serve_console(loaded: "Loaded") -> None:
    """Serve the terminal alone. Where a running Parley has the database open, this conversation lives in memory."""
    from bot.errors import StoreInUse

    try:
        serve(loaded, channels=("console",), signals=())
    except StoreInUse as error:
        print(f"parley: {error}; this conversation is kept in memory only", file=sys.stderr)
        memory = loaded.settings.model_copy(update={"database_url": "sqlite+aiosqlite:///:memory:"})
        serve(replace(loaded, settings=memory), channels=("console",), signals=())


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
