"""What Prometheus may know of the web channel: counts and times, never a text or an id."""

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.ports import CountsTokens


class Metrics:
    """One registry per open channel, so that two of them in a process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "parley_web_requests", "Answered requests.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "parley_web_request_seconds", "Time to the end of an answer, streams excepted.", ["route"],
            registry=self.registry,
        )  # fmt: skip
        self.messages = Counter("parley_web_messages", "Messages taken in.", ["duplicate"], registry=self.registry)
        self.turns = Counter("parley_web_turns", "Replies delivered.", ["status"], registry=self.registry)
        self.deltas = Counter("parley_web_deltas", "Pieces of replies written.", registry=self.registry)
        self.streams = Gauge("parley_web_streams", "Event streams open now.", registry=self.registry)

    def render(self) -> bytes:
        """The text format of Prometheus."""
        return generate_latest(self.registry)


class TokenCollector(Collector):
    """The tokens of the core's answers; `cached` are those prompt tokens that were not computed again."""

    def __init__(self, core: CountsTokens) -> None:
        self._core = core

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily("parley_engine_tokens", "Tokens of finished answers.", labels=["kind"])
        for kind, count in self._core.tokens.items():
            family.add_metric([kind], count)
        yield family


class Counted:
    """ASGI middleware that counts requests by the template of their route."""

    METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        streaming = False

        async def watch(message: Message) -> None:
            nonlocal streaming
            if message["type"] == "http.response.start":
                streaming = (b"content-type", b"text/event-stream") in message["headers"]
                method = scope["method"] if scope["method"] in self.METHODS else "other"
                self._metrics.requests.labels(method, self._route(scope), str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, watch)
        if not streaming:
            self._metrics.seconds.labels(self._route(scope)).observe(time.perf_counter() - began)

    @staticmethod
    def _route(scope: Scope) -> str:
        return getattr(scope.get("route"), "path", "none")
