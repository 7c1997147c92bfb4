"""The pieces of one answer, read off its stream; whatever breaks off or makes no sense is a fault."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from openai import AsyncStream, OpenAIError
from openai.types.chat import ChatCompletionChunk

from bot.engine.remote.asking import Asked
from bot.engine.remote.faults import Fault, down, fault_of, late
from bot.types import Finished, TextDelta, TokenChance

AFTERWORD_SECONDS = 2.0
"""How long, after an answer's end was told, its token counts are waited for."""


class Failed(Exception):
    """Carries a fault to whoever asked."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault.error))
        self.fault = fault


@dataclass(slots=True, kw_only=True)
class Told:
    """What the stream has told beside text."""

    reason: Literal["stop", "length"] | None = None
    pieces: int = 0
    prompt_tokens: int | None = None
    new_tokens: int | None = None
    cached_tokens: int = 0


class Answer:
    def __init__(self, url: str, stream: AsyncStream[ChatCompletionChunk], asked: Asked) -> None:
        self._url = url
        self._stream = stream
        self._chunks = aiter(stream)
        self._asked = asked
        self._told = Told()

    async def next(self, *, until: float, idle: float) -> TextDelta | Finished:
        """The next text, or how it ended; `idle` seconds may pass between two pieces, text or not. Raises Failed."""
        clock = asyncio.get_running_loop().time
        while True:
            by = min(until, clock() + (AFTERWORD_SECONDS if self._told.reason else idle))
            try:
                async with asyncio.timeout_at(by):
                    chunk = await anext(self._chunks, None)
                piece = None if chunk is None else _read(chunk, self._told)
            except (TimeoutError, OpenAIError, ValueError) as error:
                if self._told.reason:
                    return self._finished(self._told.reason)
                raise Failed(self._fault(error, None if by >= until else idle)) from error
            if chunk is None:
                if self._told.reason is None:
                    raise Failed(down(self._url, "ended in the middle of its answer"))
                return self._finished(self._told.reason)
            if piece:
                return piece

    async def close(self) -> None:
        """Give up what is left of it; the server is told by the end of the connection."""
        await self._stream.close()

    def _finished(self, reason: Literal["stop", "length"]) -> Finished:
        told = self._told
        return Finished(
            reason=reason,
            prompt_tokens=self._asked.prompt_tokens if told.prompt_tokens is None else told.prompt_tokens,
            new_tokens=told.pieces if told.new_tokens is None else told.new_tokens,
            cached_tokens=told.cached_tokens,
        )

    def _fault(self, error: Exception, silent: float | None) -> Fault:
        if isinstance(error, TimeoutError):
            if silent is None:
                return late(self._url, "gave no whole answer in time; try again, or set engine.deadline higher")
            return late(self._url, f"sent nothing for {silent:g} s")
        if isinstance(error, OpenAIError):
            return fault_of(self._url, error, key_env=None)
        return down(self._url, f"sent what is no answer: {str(error)[:200]}")


def _read(chunk: ChatCompletionChunk, told: Told) -> TextDelta | None:
    """The text of a chunk, if any. Raises ValueError where it is no chunk; the client checks no shapes."""
    usage: Any = getattr(chunk, "usage", None)
    choices: Any = getattr(chunk, "choices", None)
    if usage is not None:
        told.prompt_tokens = _count(getattr(usage, "prompt_tokens", None))
        told.new_tokens = _count(getattr(usage, "completion_tokens", None))
        details = getattr(usage, "prompt_tokens_details", None)
        told.cached_tokens = _count(getattr(details, "cached_tokens", None)) or 0
    if not choices and usage is not None:
        return None
    if not isinstance(choices, list):
        raise ValueError("a piece without choices")  # noqa: TRY004 - it is what came that is wrong, not a call
    piece = None
    for choice in choices[:1]:
        delta = getattr(choice, "delta", None)
        content = getattr(delta, "content", None)
        reason = getattr(choice, "finish_reason", None)
        if not isinstance(content, str | None) or not isinstance(reason, str | None):
            raise ValueError("a piece whose text is no text")  # noqa: TRY004 - as above
        if content:
            told.pieces += 1
            text = content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            piece = TextDelta(text, tuple(_chances(getattr(choice, "logprobs", None))))
        if reason is not None:
            told.reason = "length" if reason == "length" else "stop"
    return piece


def _chances(logprobs: Any) -> Iterator[TokenChance]:
    """Raises ValueError where they are none."""
    try:
        for each in getattr(logprobs, "content", None) or ():
            top = tuple((str(other.token), float(other.logprob)) for other in each.top_logprobs or ())
            yield TokenChance(str(each.token), float(each.logprob), top)
    except (AttributeError, TypeError) as error:
        raise ValueError("log-probabilities that are none") from error


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
