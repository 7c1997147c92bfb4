"""One server of the fleet: what is in flight there, how it is, its answers."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from openai import APIStatusError, AsyncOpenAI, AsyncStream, DefaultAsyncHttpxClient, OpenAIError, Timeout
from openai.types.chat import ChatCompletionChunk

from bot.engine.remote.answer import Answer, Failed
from bot.engine.remote.asking import HINTS, Asked
from bot.engine.remote.breaker import Breaker
from bot.engine.remote.faults import Fault, complaint, down, fault_of, late
from bot.engine.remote.settings import RemoteSettings
from bot.errors import EngineError, ModelRefused
from bot.types import Finished, TextDelta

log = logging.getLogger(__name__)


class Endpoint:
    """`wrong` is what the last look at it found, None where it was well; `last` why the last request failed there.
    `served` counts the requests."""

    def __init__(self, url: str, client: AsyncOpenAI, settings: RemoteSettings) -> None:
        self.url = url
        self.outstanding = 0
        self.served = 0
        self.seen = False
        self.wrong: EngineError | None = None
        self.last: Fault | None = None
        self.context: int | None = None
        self.breaker = Breaker(
            after=settings.break_after, rest=settings.rest_seconds, clock=asyncio.get_running_loop().time
        )
        self._client = client
        self._settings = settings
        self._goes_without: set[str] = set()

    def attempt(self) -> "Attempt":
        """Take a place there for one request."""
        self.outstanding += 1
        self.served += 1
        self.breaker.begin()
        return Attempt(self, idle=self._settings.idle_seconds)

    async def ask(self, asked: Asked) -> Answer:
        """Send the request. What the server does not know of the hints is left out from then on. Raises OpenAIError."""
        while True:
            body = asked.body(without=self._goes_without)
            try:
                stream = await self._client.post(
                    "/chat/completions",
                    body=body,
                    options={"headers": asked.headers},
                    cast_to=ChatCompletionChunk,
                    stream=True,
                    stream_cls=AsyncStream[ChatCompletionChunk],
                )
            except APIStatusError as error:
                said = complaint(error)
                unknown = {name for name in HINTS & body.keys() if name in said}
                if error.status_code not in (400, 422) or not unknown:
                    raise
                log.warning("endpoint %s does not know %s; it goes without", self.url, ", ".join(sorted(unknown)))
                self._goes_without |= unknown
            else:
                return Answer(self.url, stream, asked)

    async def look(self) -> None:
        """See how it is: whether it answers and serves the model, and with what context."""
        wrong: EngineError | None = None
        try:
            async with asyncio.timeout(self._settings.connect_seconds * 2):
                listed = await self._client.models.list()
            models = {model.id: model for model in listed.data}
        except (TimeoutError, OpenAIError, ValueError) as error:
            wrong = self.fault(error).error
        except (AttributeError, TypeError):  # the client checks no shapes
            wrong = down(self.url, "lists its models in no way that is known").error
        else:
            if models and self._settings.model not in models:
                served = ", ".join(sorted(models)[:5])
                wrong = ModelRefused(f"{self.url} does not serve {self._settings.model!r}; it serves {served}")
            elif models:
                self.context = _context(models[self._settings.model]) or self.context
        if str(wrong) != str(self.wrong) or not self.seen:
            log.log(logging.INFO if wrong is None else logging.WARNING, "endpoint %s", wrong or f"{self.url} answers")
        self.seen, self.wrong = True, wrong

    async def watch(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(self._settings.check_seconds)

    def fault(self, error: Exception) -> Fault:
        match error:
            case Failed():
                return error.fault
            case TimeoutError():
                return late(self.url, "did not begin to answer in time")
            case OpenAIError():
                return fault_of(self.url, error, key_env=self._settings.key_env)
            case _:
                return down(self.url, f"sent what is no answer: {str(error)[:200]}")


class Attempt:
    """One request's place at an endpoint. Whoever has it closes it."""

    def __init__(self, endpoint: Endpoint, *, idle: float) -> None:
        self.endpoint = endpoint
        self.first: TextDelta | Finished | None = None
        self._idle = idle
        self._answer: Answer | None = None
        self._closed = False

    async def begin(self, asked: Asked, *, within: float, until: float) -> Fault | None:
        """Ask, and wait for the beginning of the answer: `first`. Closed where a fault comes in its place."""
        try:
            async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + within)):
                self._answer = await self.endpoint.ask(asked)
            self.first = await self._answer.next(until=until, idle=within)
        except (TimeoutError, OpenAIError, ValueError, Failed) as error:
            fault = self.endpoint.fault(error)
            await self.close(fault)
            return fault
        self.endpoint.breaker.answered()
        return None

    async def next(self, *, until: float) -> TextDelta | Finished:
        """Raises EngineError; then no more will come."""
        if self._answer is None:
            raise RuntimeError("nothing has begun")
        try:
            return await self._answer.next(until=until, idle=self._idle)
        except Failed as error:
            await self.close(error.fault)
            raise error.fault.error from error

    async def close(self, fault: Fault | None = None, *, whole: bool = False) -> None:
        """`whole`: it came to its end."""
        if self._closed:
            return
        self._closed = True
        endpoint = self.endpoint
        endpoint.outstanding -= 1
        endpoint.last = fault
        if fault is None:
            (endpoint.breaker.succeeded if whole else endpoint.breaker.abandoned)()
        elif fault.kind == "busy":
            endpoint.breaker.busy(fault.wait)
        elif fault.kind == "down":
            endpoint.breaker.failed()
        else:
            endpoint.breaker.abandoned()
        if self._answer is not None:
            await self._answer.close()


@asynccontextmanager
async def open_endpoint(url: str, settings: RemoteSettings, *, key: str | None) -> AsyncIterator[Endpoint]:
    """`key` None: it asks for none."""
    timeout = Timeout(None, connect=settings.connect_seconds)  # the rest is bounded where it is waited for
    async with (
        DefaultAsyncHttpxClient(timeout=timeout, follow_redirects=False) as http,
        AsyncOpenAI(base_url=url, api_key=key or "none", max_retries=0, timeout=timeout, http_client=http) as client,
    ):
        yield Endpoint(url, client, settings)


def _context(model: Any) -> int | None:
    """What the server says of the model's context: vLLM, SGLang and Parley one way, llama.cpp another."""
    said = getattr(model, "max_model_len", None)
    if said is None and isinstance(meta := getattr(model, "meta", None), dict):
        said = meta.get("n_ctx")
    return said if isinstance(said, int) and said >= 16 else None
