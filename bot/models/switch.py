"""The engine that answers, exchangeable while it does: another is loaded beside it, new answers come from that one, and
the old one ends with its last."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager

import structlog

from bot.models.ready import until_ready
from bot.ports import Engine
from bot.types import Generated, Message, Prompt

Opener = Callable[[str | None], AbstractAsyncContextManager[Engine]]
"""Opens the engine with a model; None: with the one of the settings."""

log = structlog.stdlib.get_logger()


class Switch:
    """The `Engine` port before whichever engine answers now. `held` keeps one for the length of an answer."""

    def __init__(self, opener: Opener, tasks: asyncio.TaskGroup) -> None:
        self._opener = opener
        self._tasks = tasks
        self._stays: set[asyncio.Task[None]] = set()
        self._now: _Stay

    async def begin(self, model: str | None) -> None:
        """Open the first engine; it may load on. Raises like the engine's plugin."""
        self._now = await self._open(model)

    async def swap(self, model: str | None) -> None:
        """Return once `model` answers. Where it cannot be loaded all stays as it is. Raises like `until_ready`, and
        like the engine's plugin."""
        new = await self._open(model)
        try:
            await until_ready(new.engine)
        except BaseException:
            new.retire()
            raise
        old, self._now = self._now, new
        old.retire()

    @contextmanager
    def held(self) -> Iterator[Engine]:
        with self._now.held() as engine:
            yield engine

    def end(self) -> None:
        for task in self._stays:
            task.cancel()

    @property
    def opened(self) -> int:
        """How many engines are open: one, and those that are loading or have answers to finish."""
        return len(self._stays)

    @property
    def model(self) -> str:
        return self._now.engine.model

    @property
    def caution(self) -> tuple[str, ...]:
        return self._now.engine.caution

    @property
    def grounded_only(self) -> bool:
        return self._now.engine.grounded_only

    @property
    def quotes(self) -> bool:
        return self._now.engine.quotes

    @property
    def context(self) -> int:
        return self._now.engine.context

    async def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
        with self.held() as engine:
            async with aclosing(engine.generate(prompt)) as generated:
                async for event in generated:
                    yield event

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return self._now.engine.count_tokens(messages)

    async def check(self) -> None:
        await self._now.engine.check()

    async def _open(self, model: str | None) -> "_Stay":
        stay = _Stay()
        task = self._tasks.create_task(stay.run(self._opener(model)), name=f"engine {model or 'of the settings'}")
        self._stays.add(task)
        task.add_done_callback(self._stays.discard)
        await stay.opened()
        return stay


class _Stay:
    """One engine for as long as anybody needs it. It is opened and closed in a task of its own."""

    def __init__(self) -> None:
        self._opened: asyncio.Future[Engine] = asyncio.get_running_loop().create_future()
        self._holders = 0
        self._retired = False
        self._over = asyncio.Event()

    @property
    def engine(self) -> Engine:
        return self._opened.result()

    async def opened(self) -> Engine:
        """Raises what opening it raised."""
        try:
            return await asyncio.shield(self._opened)
        except asyncio.CancelledError:
            self.retire()
            raise

    async def run(self, opening: AbstractAsyncContextManager[Engine]) -> None:
        try:
            async with opening as engine:
                self._opened.set_result(engine)
                await self._over.wait()
        except Exception as error:
            if self._opened.done():
                log.exception("a model did not end in good order")
            else:
                self._opened.set_exception(error)

    @contextmanager
    def held(self) -> Iterator[Engine]:
        self._holders += 1
        try:
            yield self.engine
        finally:
            self._holders -= 1
            self._end_if_free()

    def retire(self) -> None:
        """End it once nobody holds it."""
        self._retired = True
        self._end_if_free()

    def _end_if_free(self) -> None:
        if self._retired and not self._holders:
            self._over.set()


@asynccontextmanager
async def open_switch(opener: Opener, model: str | None) -> AsyncIterator[Switch]:
    """Raises like the engine's plugin."""
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as tasks:
        switch = Switch(opener, tasks)
        try:
            await switch.begin(model)
            yield switch
        except BaseException as error:  # noqa: BLE001 - raised below, outside the group, which would wrap it
            failure = error
        switch.end()
    if failure is not None:
        raise failure
