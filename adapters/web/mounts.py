"""What shares this server beside our own routes: other channels that are called over HTTP, and the engine's API."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.openai.application import build
from bot.ports import Core, HasRoutes


class Mounts:
    """ASGI middleware: a path below a mount goes there, past our own gate and limits; it has its own."""

    def __init__(self, app: ASGIApp, mounts: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._mounts = mounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http":
            path = scope["path"]
            app = next((mounted for start, mounted in self._mounts.items() if path.startswith(f"{start}/")), app)
        await app(scope, receive, send)


def mounts_of(core: Core, *, engine_key: str | None) -> Mapping[str, ASGIApp]:
    found: dict[str, ASGIApp] = {}
    for channel in core.channels.values():
        if isinstance(channel, HasRoutes):
            found.update(channel.routes)
    if engine_key is not None:
        found["/v1"] = build(core.engine, key=engine_key)
    return found
