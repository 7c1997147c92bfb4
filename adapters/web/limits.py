"""Bodies end at 64 KiB, whether the length is announced or comes in chunks."""

import asyncio
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.web.problems import respond

MAX_BODY = 64 * 1024
DRAIN_BYTES = 4 * 1024 * 1024
DRAIN_SECONDS = 1.0


class BodyLimit:
    """ASGI middleware that answers 413 without reading a large body into memory."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not announced.isdigit() or int(announced) > MAX_BODY:
            await self._refuse(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_BODY:
                raise HTTPException(413)
            return message

        async def unless_refused(message: Message) -> None:
            if taken <= MAX_BODY:
                await send(message)

        await self._app(scope, counted, unless_refused)
        if taken > MAX_BODY:
            await self._refuse(scope, receive, send)

    @staticmethod
    async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once, then read on for a moment: closing on unread bytes would take the answer away."""

        async def hold(message: Message) -> None:
            await send({**message, "more_body": True} if message["type"] == "http.response.body" else message)

        detail = f"the body has more than {MAX_BODY} bytes"
        await respond(413, "too-large", detail, headers={"Connection": "close"})(scope, receive, hold)
        drained = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while drained < DRAIN_BYTES:
                    message = await receive()
                    drained += len(message.get("body", b""))
                    if message["type"] == "http.disconnect" or not message.get("more_body", False):
                        break
        await send({"type": "http.response.body", "body": b"", "more_body": False})
