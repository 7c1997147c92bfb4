"""The ASGI application: the protocol's routes around one engine, behind the key."""

import re
import time
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from adapters.openai.access import KeyNeeded
from adapters.openai.asking import prompt_of
from adapters.openai.completion import Completion
from adapters.openai.problems import Refused, of_engine, of_validation, respond, retry_after
from adapters.openai.wire import ChatRequest
from bot.errors import EngineError
from bot.ports import Engine

LEAST_BODY = 64 * 1024
BYTES_A_TOKEN = 16


class Routes:
    def __init__(self, engine: Engine, name: str | None) -> None:
        self._engine = engine
        self._given = name
        self._since = int(time.time())

    @property
    def _name(self) -> str:
        """The engine's model may be exchanged."""
        return self._given or plain_name(self._engine.model)

    async def list_models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": [self._model()]})

    async def get_model(self, request: Request) -> Response:
        self._known(request.path_params["model"])
        return JSONResponse(self._model())

    async def complete(self, request: Request) -> Response:
        try:
            asked = ChatRequest.model_validate_json(await self._body(request))
        except ValidationError as error:
            raise of_validation(error) from error
        self._known(asked.model)
        return Completion(
            self._engine,
            prompt_of(asked, self._engine),
            model=self._name,
            stream=bool(asked.stream),
            usage=asked.stream_options is not None and asked.stream_options.include_usage,
        )

    def _model(self) -> dict[str, Any]:
        return {
            "id": self._name,
            "object": "model",
            "created": self._since,
            "owned_by": "parley",
            "max_model_len": self._engine.context,
        }

    def _known(self, model: str) -> None:
        if model != self._name:
            said = f"there is no model {model!r} here; it is called {self._name!r}"
            raise Refused(404, said, code="model_not_found", param="model")

    async def _body(self, request: Request) -> bytes:
        """No longer than a prompt that fits could be."""
        most = LEAST_BODY + BYTES_A_TOKEN * self._engine.context
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > most:
                raise Refused(413, f"the body has more than {most} bytes", code="too_large")
        return bytes(body)


def build(engine: Engine, *, key: str, name: str | None = None) -> ASGIApp:
    """Everything below `/v1`. `name`: what callers know the model by."""
    routes = Routes(engine, name)
    app = Starlette(
        routes=[
            Route("/v1/models", routes.list_models),
            Route("/v1/models/{model:path}", routes.get_model),
            Route("/v1/chat/completions", routes.complete, methods=["POST"]),
        ],
        exception_handlers={
            Refused: _refused,
            EngineError: _engine_failed,
            HTTPException: _http,
            ClientDisconnect: _left,
            Exception: _failed,
        },
    )
    app.router.redirect_slashes = False
    return KeyNeeded(app, key)


def plain_name(model: str) -> str:
    """A model's name without what programs cannot type."""
    return re.sub(r"[^A-Za-z0-9._/:-]+", "-", re.sub(r"\s*\(.*\)", "", model)).strip("-") or "parley"


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, Refused):
        raise error
    headers = {"Connection": "close"} if error.status == 413 else retry_after(error.status)
    return respond(error.status, error.message, code=error.code, param=error.param, headers=headers)


async def _engine_failed(request: Request, error: Exception) -> Response:
    if not isinstance(error, EngineError):
        raise error
    return await _refused(request, of_engine(error))


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    said = f"{request.method} {request.url.path} does not exist here"
    return respond(error.status_code, said, code="unknown_url", headers=error.headers)


async def _left(_: Request, __: Exception) -> Response:
    return Response(status_code=400)


async def _failed(_: Request, __: Exception) -> Response:
    return respond(500, "this went wrong on our side; it has been logged", code="failed")
