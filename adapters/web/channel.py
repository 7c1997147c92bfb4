"""The web as a channel: serves the API and the pages, shows replies on event streams."""

import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from adapters.openai.access import key_from
from adapters.shared.serving import bind, serve, url_of
from adapters.web.access import Access
from adapters.web.application import build
from adapters.web.desk import Desk
from adapters.web.metrics import Metrics, TokenCollector
from adapters.web.reply import WebReply, finished, replying
from adapters.web.settings import WebSettings
from adapters.web.streams import Streams
from bot.ports import Core, CountsTokens
from bot.types import Delivery, Turn


class WebChannel:
    name = "web"

    def __init__(self, desk: Desk, bound: socket.socket) -> None:
        self._desk = desk
        self._bound = bound
        self.address = url_of(bound)

    async def listen(self) -> None:
        """Serve until cancelled. Then streams end, answers in flight finish, and new requests are not taken."""
        await serve(build(self._desk), self._bound, before_exit=self._desk.streams.close_all)

    def reply(self, turn: Turn) -> AbstractAsyncContextManager[WebReply]:
        return replying(turn, self._desk.core.bus, self._desk.metrics.deltas)

    async def deliver(self, delivery: Delivery) -> None:
        self._desk.metrics.turns.labels(delivery.state.value).inc()
        await self._desk.core.bus.append(delivery.conversation, finished(delivery))


@asynccontextmanager
async def open_channel(settings: WebSettings, core: Core) -> AsyncIterator[WebChannel]:
    """The channel with its socket bound, so that a taken port is known before anything starts. Raises ConfigError."""
    metrics = Metrics()
    if isinstance(core, CountsTokens):
        metrics.registry.register(TokenCollector(core))
    desk = Desk(
        core=core,
        settings=settings,
        access=Access(core.store),
        streams=Streams(settings, metrics.streams),
        metrics=metrics,
        engine_key=key_from(settings.engine_key_env) if settings.engine_key_env is not None else None,
    )
    bound = await bind(settings.host, settings.port)
    try:
        yield WebChannel(desk, bound)
    finally:
        bound.close()
