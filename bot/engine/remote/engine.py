"""The Engine port on top of a fleet: counts and bounds here, generates there."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from bot.engine.remote.asking import Asked, options_of
from bot.engine.remote.counting import Counter, EstimatingCounter, ExactCounter
from bot.engine.remote.endpoint import Attempt, open_endpoint
from bot.engine.remote.faults import Fault
from bot.engine.remote.fleet import Fleet
from bot.engine.remote.race import Race
from bot.engine.remote.settings import RemoteSettings
from bot.errors import (
    ConfigError,
    EngineBusy,
    EngineDied,
    EngineError,
    EngineTimeout,
    ModelRefused,
    PromptTooLong,
    RequestRefused,
)
from bot.types import Finished, Generated, Message, Prompt, TextDelta

UNKNOWN_CONTEXT = 4096


class RemoteEngine:
    grounded_only = False
    quotes = False

    def __init__(self, settings: RemoteSettings, fleet: Fleet, counter: Counter) -> None:
        self.model = settings.model
        self.caution = (
            () if counter.exact else ("Prompt tokens are estimated; engine.tokenizer names a folder for exact counts.",)
        )
        self.in_flight = 0
        self._settings = settings
        self._fleet = fleet
        self._counter = counter

    @property
    def context(self) -> int:
        told = [each.context for each in self._fleet.endpoints if each.context is not None]
        return self._settings.context or min(told, default=UNKNOWN_CONTEXT)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return self._counter.count(messages)

    async def check(self) -> None:
        looked = [each for each in self._fleet.endpoints if each.seen]
        if any(each.wrong is None for each in looked):
            return
        if not looked:
            raise EngineError(f"the endpoints of {self.model} are being asked; try again in a moment")
        wrong = next(each.wrong for each in looked if each.wrong is not None)
        raise type(wrong)(str(wrong))

    async def probe(self) -> Mapping[str, str | None]:
        endpoints = self._fleet.endpoints
        await asyncio.gather(*(each.look() for each in endpoints))
        return {each.url: None if each.wrong is None else str(each.wrong) for each in endpoints}

    async def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
        asked = self._asked(prompt)
        if self.in_flight >= self._settings.at_once:
            raise EngineBusy(waiting=self.in_flight)
        until = asyncio.get_running_loop().time() + self._settings.deadline
        self.in_flight += 1
        attempt: Attempt | None = None
        try:
            attempt, event = await self._begun(asked, until=until)
            while not isinstance(event, Finished):
                yield event
                event = await attempt.next(until=until)
            await attempt.close(whole=True)
            self._counter.learn(prompt.messages, event.prompt_tokens)
            yield event
        finally:
            self.in_flight -= 1
            if attempt is not None:
                await attempt.close()

    def _asked(self, prompt: Prompt) -> Asked:
        if prompt.adapter is not None:
            raise RequestRefused(f"the adapter {prompt.adapter!r} is for the local engine; a remote model takes none")
        tokens, context = self.count_tokens(prompt.messages), self.context
        if tokens >= context:
            raise PromptTooLong(prompt_tokens=tokens, context=context)
        return Asked(
            model=self.model,
            prompt=prompt,
            prompt_tokens=tokens,
            limit=min(prompt.sampling.max_tokens, context - tokens),
            options=options_of(prompt.sampling),
            extra=self._settings.extra,
        )

    async def _begun(self, asked: Asked, *, until: float) -> tuple[Attempt, TextDelta | Finished]:
        settings = self._settings
        race = Race(
            fleet=self._fleet, attempts=settings.attempts, within=settings.first_seconds, hedge=settings.hedge_seconds
        )
        attempt = await race.run(asked, until=until)
        if attempt is None or attempt.first is None:
            raise self._error(race.faults, asked)
        return attempt, attempt.first

    def _error(self, faults: Sequence[Fault], asked: Asked) -> EngineError:
        """The one error that says why no answer began: what came back, or why nothing was asked."""
        faults = faults or [each.last for each in self._fleet.endpoints if each.last is not None]
        for fault in faults:
            if fault.too_long:
                return PromptTooLong(prompt_tokens=asked.prompt_tokens, context=self.context)
            if fault.kind == "asked":
                return fault.error
        if any(fault.kind == "busy" for fault in faults):
            return EngineBusy(waiting=self.in_flight)
        text = "; ".join(dict.fromkeys(str(fault.error) for fault in faults))
        for kind in (EngineTimeout, ModelRefused):
            if all(isinstance(fault.error, kind) for fault in faults):
                return kind(text)
        return EngineDied(text)


@asynccontextmanager
async def open_remote(settings: RemoteSettings) -> AsyncIterator[RemoteEngine]:
    """The endpoints need not answer yet. Raises ConfigError, ModelRefused for what is wrong on this side."""
    key = _key(settings)
    counter: Counter = EstimatingCounter()
    if settings.tokenizer is not None:
        counter = await asyncio.to_thread(ExactCounter, settings.tokenizer.expanduser())
    async with AsyncExitStack() as stack:
        endpoints = [
            await stack.enter_async_context(open_endpoint(url, settings, key=key)) for url in settings.endpoints
        ]
        failure: BaseException | None = None
        async with asyncio.TaskGroup() as group:
            watching = [group.create_task(each.watch(), name=f"watch {each.url}") for each in endpoints]
            try:
                yield RemoteEngine(settings, Fleet(endpoints, spill=settings.spill), counter)
            except BaseException as error:  # noqa: BLE001 - raised below, outside the group, which would wrap it
                failure = error
            for task in watching:
                task.cancel()
        if failure is not None:
            raise failure


def _key(settings: RemoteSettings) -> str | None:
    if settings.key_env is None:
        return None
    key = os.environ.get(settings.key_env, "").strip()
    if not key:
        raise ConfigError(f"engine.key_env names {settings.key_env}, but no environment variable of that name is set")
    return key
