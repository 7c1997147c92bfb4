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
        self._bound = bound
        self.address = f"{url_of(bound)}/v1"
        self._app = application(engine, key=key, name=settings.name)

    async def serve(self) -> None:
        await serve(self._app, self._bound, before_exit=lambda: None)


def application(engine: Engine, *, key: str, name: str | None) -> Starlette:
    """The protocol behind the key, and the probes before it. `name`: what callers know the model by."""

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        try:
            await engine.check()
        except EngineError as error:
            return JSONResponse({"status": "not ready", "detail": str(error)}, status_code=503)
        return JSONResponse({"status": "ready"})

    behind_key = build(engine, key=key, name=name)
    return Starlette(routes=[Route("/healthz", alive), Route("/readyz", ready), Mount("/", behind_key)])


@asynccontextmanager
async def open_server(settings: ServeSettings, engine: Engine) -> AsyncIterator[OpenAIServer]:
    """With its socket bound. Raises ConfigError, also where no key is set: it is never open to everybody."""
    key = key_from(settings.key_env)
    bound = await bind(settings.host, settings.port)
    try:
        yield OpenAIServer(engine, settings, key=key, bound=bound)
    finally:
        bound.close()
