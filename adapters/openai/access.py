"""Who may use the engine: the holder of the one key, which comes from the environment and is never stored."""

import hmac
import os
from hashlib import sha256

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.openai.problems import respond
from bot.errors import ConfigError

SHORTEST = 16


def key_from(variable: str) -> str:
    """The key of the environment. Raises ConfigError: without one the engine stays closed."""
    key = os.environ.get(variable, "").strip()
    if len(key) < SHORTEST:
        what = f"is shorter than {SHORTEST} characters" if key else "is not set"
        raise ConfigError(
            f"{variable}, the key for the engine's API, {what}: export {variable}=$(openssl rand -hex 32)"
        )
    return key


class KeyNeeded:
    """ASGI middleware: whatever lies behind it answers only to `Authorization: Bearer KEY`."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._hash = sha256(key.encode()).digest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        hashed = sha256(given.strip().encode()).digest()
        if hmac.compare_digest(hashed, self._hash) and kind.lower() == "bearer":
            await self._app(scope, receive, send)
        else:
            said = "send the server's key as: Authorization: Bearer KEY"
            headers = {"WWW-Authenticate": "Bearer"}
            await respond(401, said, code="invalid_api_key", headers=headers)(scope, receive, send)
