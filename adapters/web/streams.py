"""The open event streams: how many there may be, and closing them when it is time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from prometheus_client import Gauge

from adapters.web.problems import Refused
from adapters.web.settings import WebSettings
from bot.types import ConversationKey


class Closable(Protocol):
    def close(self) -> None:
        """End soon; the reader sees an orderly end."""
        ...


class Streams:
    def __init__(self, settings: WebSettings, gauge: Gauge) -> None:
        self._settings = settings
        self._gauge = gauge
        self._open: dict[ConversationKey, list[Closable]] = {}
        self._count = 0
        self._closing = False

    @property
    def closing(self) -> bool:
        return self._closing

    def admit(self, key: ConversationKey) -> None:
        """Raises Refused where there are too many streams, or none shall open any more."""
        if self._closing:
            raise Refused(503, "closing", "this server is shutting down", headers={"Retry-After": "1"})
        if self._count >= self._settings.max_streams:
            raise Refused(503, "busy", "too many open streams on this server", headers={"Retry-After": "5"})
        if len(self._open.get(key, ())) >= self._settings.max_streams_per_conversation:
            raise Refused(429, "too-many-streams", "too many open streams of this conversation; close one first")

    @contextmanager
    def holding(self, key: ConversationKey, stream: Closable) -> Iterator[None]:
        """Count the stream as open; one that comes while all are closed is closed at once."""
        self._open.setdefault(key, []).append(stream)
        self._count += 1
        self._gauge.inc()
        try:
            if self._closing:
                stream.close()
            yield
        finally:
            self._gauge.dec()
            self._count -= 1
            self._open[key].remove(stream)
            if not self._open[key]:
                del self._open[key]

    def close(self, key: ConversationKey) -> None:
        """End the streams of one conversation."""
        for stream in self._open.get(key, ()):
            stream.close()

    def close_all(self) -> None:
        """End every stream and admit none from now on."""
        self._closing = True
        for streams in self._open.values():
            for stream in streams:
                stream.close()
