"""Stand-ins for tests of plugins and of the core: a scripted engine and a channel that remembers what it showed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from bot.types import Delivery, Finished, Generated, Message, Prompt, TextDelta, Turn

Script = Callable[[Prompt], str | BaseException]


class ScriptedEngine:
    """An engine that says what its script says, word by word. One token is one whitespace-separated word.

    A script that returns an exception raises it in place of the answer. `prompts` collects what was asked.
    """

    def __init__(self, script: Script | str, *, context: int = 4096, delay: float = 0.0) -> None:
        """`delay` is the time between two words, in seconds."""
        self._script: Script = (lambda _: script) if isinstance(script, str) else script
        self.model = "scripted"
        self.caution: tuple[str, ...] = ()
        self.grounded_only = False
        self.quotes = False
        self.context = context
        self.delay = delay
        self.prompts: list[Prompt] = []
        self.running = 0

    async def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
        self.prompts.append(prompt)
        answer = self._script(prompt)
        if isinstance(answer, BaseException):
            raise answer
        self.running += 1
        try:
            words = answer.split(" ")
            for number, word in enumerate(words):
                await asyncio.sleep(self.delay)
                yield TextDelta(word if number == 0 else " " + word)
            yield Finished(reason="stop", prompt_tokens=prompt.budget.prompt, new_tokens=len(words))
        finally:
            self.running -= 1

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return sum(len(message.text.split()) + 1 for message in messages)

    async def check(self) -> None:
        return None


class FakeReply:
    """The visible text of one attempt, and how it came about."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.text = ""
        self.writes: list[str] = []

    async def write(self, text: str) -> None:
        self.writes.append(text)
        self.text += text

    async def replace(self, text: str) -> None:
        self.text = text


class FakeChannel:
    """A channel that keeps what it was asked to show: `replies` by attempt, `delivered` by turn, in order."""

    name = "fake"

    def __init__(self) -> None:
        self.replies: list[FakeReply] = []
        self.delivered: dict[str, Delivery] = {}
        self.deliveries = 0

    async def listen(self) -> None:
        await asyncio.Event().wait()

    @asynccontextmanager
    async def reply(self, turn: Turn) -> AsyncIterator[FakeReply]:
        reply = FakeReply(turn)
        self.replies.append(reply)
        yield reply

    async def deliver(self, delivery: Delivery) -> None:
        self.deliveries += 1
        self.delivered.setdefault(delivery.turn, delivery)
