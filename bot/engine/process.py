"""The worker process seen from outside: started, spoken to, started again when it dies, ended with its owner."""

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque

from bot.engine.protocol import HEADER, LARGEST, Cancel, Frame, Generate, Ready, Refused, Start, Stepped, decode, encode
from bot.engine.spawn import environment
from bot.errors import EngineDied, EngineError, ModelRefused, RequestRefused
from bot.types import Finished, TextDelta, TokenChance

log = logging.getLogger(__name__)

_PAUSES = (0.0, 1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds before the worker is started again, by the number of deaths without an answer in between."""

_PATIENCE = 1.0
"""Seconds an ending worker is waited for before it is killed."""

Event = TextDelta | Finished | EngineError


class Request:
    """One request in flight: its events so far. `prompt_tokens` goes into its Finished."""

    def __init__(self, id: int, *, prompt_tokens: int) -> None:  # noqa: A002 - the plain name of the thing
        self.id = id
        self.prompt_tokens = prompt_tokens
        self.events: asyncio.Queue[Event] = asyncio.Queue()


class Worker:
    """Keeps one worker process alive while `run` runs.

    `stall` is how long, in seconds, a worker may leave a cancelled request unconfirmed before it is taken for hung
    and killed.
    """

    def __init__(self, start: Start, *, stall: float) -> None:
        self._start = start
        self._stall = stall
        self._process: Process | None = None
        self._loaded: asyncio.Future[Ready | EngineError] = asyncio.get_running_loop().create_future()
        self._requests: dict[int, Request] = {}
        self._cancelled: dict[int, asyncio.TimerHandle] = {}
        self._numbers = 0
        self._deaths = 0
        self._last_words: deque[str] = deque(maxlen=30)

    @property
    def in_flight(self) -> int:
        return len(self._requests)

    @property
    def unconfirmed(self) -> int:
        """Cancelled requests that the worker has not yet said to be gone."""
        return len(self._cancelled)

    @property
    def pid(self) -> int | None:
        """The worker's process id, while one runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    @property
    def status(self) -> Ready | EngineError | None:
        """Ready, or why the model cannot be loaded; None while it loads."""
        return self._loaded.result() if self._loaded.done() else None

    async def loaded(self) -> Ready:
        """Wait until requests can be sent. Raises ModelRefused, EngineDied."""
        found = await asyncio.shield(self._loaded)
        if isinstance(found, EngineError):
            raise type(found)(str(found))
        return found

    def submit(self, generate: Generate) -> Request:
        """Send a request; its id is given here. Call it only when `loaded` has returned, without waiting between."""
        request = Request(generate.id, prompt_tokens=len(generate.tokens))
        self._requests[request.id] = request
        self._send(generate)
        return request

    def number(self) -> int:
        """A fresh request id."""
        self._numbers += 1
        return self._numbers

    def drop(self, request: Request) -> None:
        """Forget a request, and free its place in the worker where it is not over."""
        if self._requests.pop(request.id, None) is not None:
            loop = asyncio.get_running_loop()
            self._cancelled[request.id] = loop.call_later(self._stall, self._kill_hung)
            self._send(Cancel(id=request.id))

    async def run(self) -> None:
        """Until cancelled: start the worker, and again when it ends. Returns where the model is refused."""
        while True:
            await self._live()
            if isinstance(self.status, ModelRefused):
                return
            pause = _PAUSES[min(self._deaths, len(_PAUSES) - 1)]
            self._deaths += 1
            await asyncio.sleep(pause)
            if self._loaded.done():
                self._loaded = asyncio.get_running_loop().create_future()

    async def _live(self) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "bot.engine.worker",
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
            env=environment({"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1"}),
        )
        self._process = process
        self._last_words.clear()
        self._send(self._start)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(process))
                tasks.create_task(self._keep_last_words(process))
            await process.wait()
            self._log_end(process)
        finally:
            await self._end(process)
            self._bury(process)

    async def _end(self, process: Process) -> None:
        """Close the pipes, which ends a worker that listens; kill one that does not."""
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_PATIENCE):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.communicate()

    async def _listen(self, process: Process) -> None:
        stream = process.stdout
        if stream is None:
            return
        try:
            while True:
                size = HEADER.unpack(await stream.readexactly(HEADER.size))[0]
                if size > LARGEST:
                    log.warning("the model worker sent no proper frame; it is ended and started again")
                    process.kill()
                    return
                self._receive(decode(await stream.readexactly(size)))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return

    async def _keep_last_words(self, process: Process) -> None:
        stream = process.stderr
        while stream is not None and (data := await stream.read(4096)):
            for line in data.decode("utf-8", "replace").splitlines():
                if line.strip():
                    self._last_words.append(line.strip()[:500])
                    log.debug("model worker: %s", line.strip()[:500])

    def _receive(self, frame: Frame) -> None:
        if isinstance(frame, Stepped):
            self._hand_out(frame)
        elif isinstance(frame, Ready):
            log.info(
                "model loaded in %.1f s on %s (%s, threads: %d): %d conversations in %d MiB, %d MiB for prefixes",
                *(frame.seconds, frame.device, frame.dtype, frame.threads),
                *(frame.slots, frame.running >> 20, frame.kept >> 20),
            )
            self._settle(frame)
        elif isinstance(frame, Refused):
            self._settle(ModelRefused(frame.message))

    def _hand_out(self, step: Stepped) -> None:
        for id_, text, chances in step.texts:
            if request := self._requests.get(id_):
                request.events.put_nowait(TextDelta(text, tuple(_chance(*values) for values in chances)))
        for id_, reason, new_tokens, cached in step.done:
            self._deaths = 0
            if request := self._over(id_):
                prompt = request.prompt_tokens
                log.debug("answered: %d prompt tokens, %d of them cached, %d new", prompt, cached, new_tokens)
                request.events.put_nowait(
                    Finished(reason=reason, prompt_tokens=prompt, new_tokens=new_tokens, cached_tokens=cached)
                )
        for id_, message in step.failed:
            if request := self._over(id_):
                request.events.put_nowait(EngineError(message))
        for id_, message in step.refused:
            if request := self._over(id_):
                request.events.put_nowait(RequestRefused(message))

    def _over(self, id_: int) -> Request | None:
        if timer := self._cancelled.pop(id_, None):
            timer.cancel()
        return self._requests.pop(id_, None)

    def _log_end(self, process: Process) -> None:
        if not isinstance(self.status, ModelRefused):
            words = self._last_words[-1] if self._last_words else "it left no word"
            log.warning("the model worker ended (exit %s): %s", process.returncode, words)

    def _bury(self, process: Process) -> None:
        """The process has ended: say so to everyone who waits for it."""
        words = f"the model worker ended (exit {process.returncode}); it is started again, try once more"
        self._settle(EngineDied(words))
        for timer in self._cancelled.values():
            timer.cancel()
        self._cancelled.clear()
        requests, self._requests = self._requests, {}
        for request in requests.values():
            request.events.put_nowait(EngineDied(words))
        if isinstance(self.status, Ready):
            self._loaded = asyncio.get_running_loop().create_future()

    def _settle(self, outcome: Ready | EngineError) -> None:
        if not self._loaded.done():
            self._loaded.set_result(outcome)

    def _kill_hung(self) -> None:
        if self._process is not None and self._process.returncode is None:
            log.warning("the model worker does not answer; it is ended and started again")
            self._process.kill()

    def _send(self, frame: Frame) -> None:
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(encode(frame))


def _chance(text: str, logprob: float, top: list[tuple[str, float]]) -> TokenChance:
    return TokenChance(text, logprob, tuple((other, value) for other, value in top))
