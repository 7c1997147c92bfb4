"""`parley serve-engine`: the engine alone, on a socket of its own."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from adapters.openai.access import key_from
from adapters.openai.application import build
from adapters.openai.settings import ServeSettings
from adapters.shared.serving import bind, serve, url_of
from bot.errors import EngineError
from bot.ports import Engine


class OpenAIServer:
    def __init__(self, engine: Engine, settings: ServeSettings, *, key: str, bound: socket.socket) -> None:
        self._engine = engine
        self._bound = bound
        self.address = f"{url_of(bound)}/v1"
        self._app = Starlette(
            routes=[
                Route("/healthz", self._alive),
                Route("/readyz", self._ready),
                Mount("/", build(engine, key=key, name=settings.name)),
            ]
        )

    async def serve(self) -> None:
        await serve(self._app, self._bound, before_exit=lambda: None)

    async def _alive(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _ready(self, _: Request) -> Response:
        try:
            await self._engine.check()
        except EngineError as error:
            return JSONResponse({"status": "not ready", "detail": str(error)}, status_code=503)
        return JSONResponse({"status": "ready"})


@asynccontextmanager
async def open_server(settings: ServeSettings, engine: Engine) -> AsyncIterator[OpenAIServer]:
    """With its socket bound. Raises ConfigError, also where no key is set: it is never open to everybody."""
    key = key_from(settings.key_env)
    bound = await bind(settings.host, settings.port)
    try:
        yield OpenAIServer(engine, settings, key=key, bound=bound)
    finally:
        bound.close()
