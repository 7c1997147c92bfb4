"""The model."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol, runtime_checkable

from bot.types import Generated, Message, Prompt


class Engine(Protocol):
    @property
    def model(self) -> str:
        """What a person calls the model that answers."""
        ...

    @property
    def caution(self) -> tuple[str, ...]:
        """What a person should know about this model before trusting it, a sentence each; empty where nothing."""
        ...

    @property
    def grounded_only(self) -> bool:
        """Whether the model knows too little to answer where no passage was found."""
        ...

    @property
    def quotes(self) -> bool:
        """Whether the model answers worse from passages than the best passage itself, which is then quoted."""
        ...

    @property
    def context(self) -> int:
        """How many tokens a prompt and its answer may have together."""
        ...

    def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
        """Text deltas, then one Finished. Closing the generator frees the compute within one step.

        Deltas join to the exact text; none ends inside a character. Raises PromptTooLong, RequestRefused,
        EngineBusy, EngineTimeout, EngineDied; after an error another call may succeed.
        """
        ...

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """The number of prompt tokens `generate` would spend on these messages. Fast; never blocks long.

        Exact where the engine has the model's tokenizer; else an estimate, rather too high, and `caution` says so.
        """
        ...

    async def check(self) -> None:
        """Raises EngineError where the engine cannot answer now."""
        ...


@runtime_checkable
class HasEndpoints(Protocol):
    """An engine that others run."""

    async def probe(self) -> Mapping[str, str | None]:
        """Ask each of its endpoints now: by address None where it answers, else what is wrong in one line."""
        ...


class EngineServer(Protocol):
    """Offers an engine to other programs."""

    @property
    def address(self) -> str:
        """The base URL that they are given."""
        ...

    async def serve(self) -> None:
        """Answer until cancelled; then let answers in flight end, and return within seconds."""
        ...


class FleetServer(EngineServer, Protocol):
    """Offers several engines behind one address."""

    async def ready(self) -> int:
        """Wait until they can answer; how many they are. Raises ModelRefused, EngineDied."""
        ...


OpenEngine = Callable[[], AbstractAsyncContextManager[Engine]]
"""Opens an engine and yields it when it can answer. Raises like `Plugin.open`, and EngineDied."""


@runtime_checkable
class Exchangeable(Protocol):
    """An engine whose model may be exchanged while it answers."""

    def held(self) -> AbstractContextManager[Engine]:
        """What answers now, for the length of one answer: it is not exchanged meanwhile."""
        ...
