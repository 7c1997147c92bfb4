"""Faults of the HTTP doors that aren't Web API methods, and how a connection is cut."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.slack.platform.faults import Faults

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def cut(request: web.Request) -> web.Response:
    """Closes the connection; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def faulty(name: str, handler: Handler, faults: Faults) -> Handler:
    """The handler, struck by the faults armed for `name`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        fault = faults.on_call(name)
        if fault is None:
            return await handler(request)
        if fault.kind == "drop":
            return cut(request)
        if fault.kind == "status":
            return web.Response(status=fault.status)
        if fault.kind == "rate_limit":
            return web.Response(status=429, headers={"Retry-After": str(int(fault.seconds))})
        answer = await handler(request)
        await asyncio.sleep(fault.seconds)
        return cut(request) if fault.kind == "lose_answer" else answer

    return handle
