"""One answer on its way to a caller, whole or streamed. A caller that leaves frees the engine's slot at once."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import structlog
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from adapters.openai.problems import body_of, of_engine, respond, retry_after
from adapters.openai.wire import DONE, event
from bot.errors import EngineDied, EngineError
from bot.ports import Engine
from bot.types import Finished, Generated, Prompt, TextDelta, TokenChance, new_id

WRITE_SECONDS = 30.0
LEAST_LOGPROB = -9999.0
"""What stands for impossible: JSON has no infinity."""

log = structlog.stdlib.get_logger()


class Completion(Response):
    """Nothing is sent before the first piece is there, so that an error until then has a status of its own.

    `usage`: a stream ends with the token counts.
    """

    def __init__(self, engine: Engine, prompt: Prompt, *, model: str, stream: bool, usage: bool) -> None:
        super().__init__(
            media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        del self.headers["content-length"]
        self._engine = engine
        self._prompt = prompt
        self._model = model
        self._streams = stream
        self._usage = usage
        self._id = f"chatcmpl-{new_id()}"
        self._created = int(time.time())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = {
                group.create_task(self._until_left(receive)),
                group.create_task(self._answer(scope, receive, send)),
            }
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()

    @staticmethod
    async def _until_left(receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._engine.generate(self._prompt)) as events:
            try:
                if self._streams:
                    await self._stream(events, send)
                else:
                    whole = await self._whole(events)
                    await JSONResponse(whole)(scope, receive, send)
            except EngineError as error:
                refused = of_engine(error)
                headers = retry_after(refused.status)
                await respond(refused.status, refused.message, code=refused.code, param=refused.param, headers=headers)(
                    scope, receive, send
                )
            except (TimeoutError, OSError):
                log.info("a caller stopped reading")

    async def _whole(self, events: AsyncGenerator[Generated, None]) -> dict[str, Any]:
        texts: list[str] = []
        chances: list[TokenChance] = []
        async for given in events:
            if isinstance(given, Finished):
                message = {"role": "assistant", "content": "".join(texts), "refusal": None}
                choice = {"index": 0, "message": message, **self._logprobs(chances), "finish_reason": _reason(given)}
                return self._frame("chat.completion", [choice]) | {"usage": usage_of(given)}
            texts.append(given.text)
            chances += given.logprobs
        raise EngineDied("the engine ended in the middle of its answer")

    async def _stream(self, events: AsyncGenerator[Generated, None], send: Send) -> None:
        """Raises EngineError only while nothing was sent."""
        given: Generated | None = await anext(events, None)
        if given is None:
            raise EngineDied("the engine ended before its answer")
        await self._send(send, {"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await self._write(send, self._chunk({"role": "assistant", "content": ""}))
        try:
            while isinstance(given, TextDelta):
                await self._write(send, self._chunk({"content": given.text}, chances=given.logprobs))
                given = await anext(events, None)
            if given is None:
                raise EngineDied("the engine ended in the middle of its answer")
        except EngineError as error:
            refused = of_engine(error)
            await self._write(send, event(body_of(refused.status, refused.message, code=refused.code)))
        else:
            await self._write(send, self._chunk({}, finish_reason=_reason(given)))
            if self._usage:
                await self._write(send, event(self._frame("chat.completion.chunk", []) | {"usage": usage_of(given)}))
            await self._write(send, DONE)
        await self._send(send, {"type": "http.response.body", "body": b"", "more_body": False})

    def _chunk(
        self, delta: dict[str, Any], *, chances: Sequence[TokenChance] = (), finish_reason: str | None = None
    ) -> bytes:
        choice = {"index": 0, "delta": delta, **self._logprobs(chances), "finish_reason": finish_reason}
        return event(self._frame("chat.completion.chunk", [choice]) | ({"usage": None} if self._usage else {}))

    def _logprobs(self, chances: Sequence[TokenChance]) -> dict[str, Any]:
        asked = self._prompt.sampling.logprobs is not None
        return {"logprobs": {"content": [chance_of(each) for each in chances], "refusal": None} if asked else None}

    def _frame(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": self._model, "choices": choices}

    async def _write(self, send: Send, body: bytes) -> None:
        await self._send(send, {"type": "http.response.body", "body": body, "more_body": True})

    @staticmethod
    async def _send(send: Send, message: dict[str, Any]) -> None:
        async with asyncio.timeout(WRITE_SECONDS):
            await send(message)


def usage_of(finished: Finished) -> dict[str, Any]:
    return {
        "prompt_tokens": finished.prompt_tokens,
        "completion_tokens": finished.new_tokens,
        "total_tokens": finished.prompt_tokens + finished.new_tokens,
        "prompt_tokens_details": {"cached_tokens": finished.cached_tokens},
    }


def chance_of(token: TokenChance) -> dict[str, Any]:
    def one(text: str, logprob: float) -> dict[str, Any]:
        return {"token": text, "logprob": max(logprob, LEAST_LOGPROB), "bytes": list(text.encode("utf-8", "replace"))}

    return {**one(token.text, token.logprob), "top_logprobs": [one(*each) for each in token.top]}


def _reason(finished: Finished) -> str:
    return "length" if finished.reason == "length" else "stop"
