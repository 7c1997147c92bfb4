"""The ASGI application: routes, problems, limits and the gate, put together."""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from adapters.web import problems
from adapters.web.api import conversations, events, health, messages, pages, turns
from adapters.web.desk import Desk
from adapters.web.gate import Gate
from adapters.web.limits import BodyLimit
from adapters.web.metrics import Counted
from adapters.web.mounts import Mounts, mounts_of


def build(desk: Desk) -> ASGIApp:
    """The whole server without its socket."""
    app = FastAPI(
        title="Parley",
        version=version("parley"),
        summary="Converse with personas: open a conversation, send messages, follow the replies live.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for room in (conversations, messages, events, turns, health, pages):
        app.include_router(room.routes(desk))
    problems.install(app)
    _document(app)
    ours = Gate(BodyLimit(Counted(app, desk.metrics)), desk.settings)
    return Mounts(ours, mounts_of(desk.core, engine_key=desk.engine_key))


def _document(app: FastAPI) -> None:
    """Put the form of problems into the OpenAPI document; routes refer to it by name."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        schema = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        parts = document.setdefault("components", {}).setdefault("schemas", {})
        parts.update(schema.pop("$defs", {}))
        parts["Problem"] = schema
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend the document
