"""One of the engines, inside the actor that Ray runs for it. The actor itself answers the protocol's requests."""

import asyncio
import os
import socket
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.openai.access import key_from
from adapters.openai.server import application
from adapters.ray.settings import RaySettings
from bot.ports import Engine, OpenEngine


class Replica:
    """Ray calls what has these names: when it begins, to see whether it is well, and when it is to end."""

    async def __init__(self, settings: RaySettings, engine: OpenEngine) -> None:  # type: ignore[misc] # Ray awaits it
        """Raises ConfigError without the key, and what the engine raises that cannot be opened."""
        self._settings = settings
        self._key = key_from(settings.key_env)
        self._held = Held(engine)
        self._engine = await self._held.opened()

    def __serve_build_asgi_app__(self) -> ASGIApp:
        return Named(application(self._engine, key=self._key, name=self._settings.name))

    async def check_health(self) -> None:
        await self._engine.check()

    async def __del__(self) -> None:
        if hasattr(self, "_held"):
            await self._held.close()


class Held:
    """An engine kept open by a task of its own, because Ray begins and ends a replica in different ones."""

    def __init__(self, engine: OpenEngine) -> None:
        loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[Engine] = loop.create_future()
        self._enough = asyncio.Event()
        self._task = loop.create_task(self._hold(engine))

    async def opened(self) -> Engine:
        """Raises what opening it raised."""
        either: tuple[asyncio.Future[Any], ...] = (self._task, self._opened)
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not self._opened.done():
            await self._task
        return self._opened.result()

    async def close(self) -> None:
        self._enough.set()
        await asyncio.wait({self._task})

    async def _hold(self, engine: OpenEngine) -> None:
        async with engine() as opened:
            self._opened.set_result(opened)
            await self._enough.wait()


class Named:
    """ASGI middleware: says in `X-Served-By` which replica answered, by its machine and process."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._name = f"{socket.gethostname()}-{os.getpid()}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Served-By"] = self._name
            await send(message)

        await self._app(scope, receive, named)
