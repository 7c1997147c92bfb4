"""An engine that answers with the number of the question, and behaves as badly as a question asks it to."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Literal, get_args

from bot.errors import EngineDied
from bot.testing import ScriptedEngine
from bot.types import Generated, Prompt, TextDelta
from tests.crash.history import numbers

Mood = Literal["hang", "end early", "die", "say nothing", "say garbage"]
MOODS: Sequence[Mood] = get_args(Mood)
_FILLER = " ".join(f"word{number}" for number in range(18))


def answer(prompt: Prompt) -> str:
    asked = " ".join(f"#{number}" for number in numbers(prompt.messages[-1].text))
    return f"About {asked}: {_FILLER}"


class MoodyEngine(ScriptedEngine):
    def __init__(self, *, delay: float) -> None:
        super().__init__(answer, delay=delay)

    async def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
        question = prompt.messages[-1].text
        mood = next((mood for mood in MOODS if mood in question), None)
        async for event in super().generate(prompt):
            match mood:
                case "hang":
                    await asyncio.Event().wait()
                case "die":
                    raise EngineDied("the worker ended")
                case "end early":
                    yield TextDelta("About")
                    return
                case "say nothing":
                    if isinstance(event, TextDelta):
                        continue
                case "say garbage":
                    if isinstance(event, TextDelta):
                        yield TextDelta("\ufffd\u2028 ")
                        continue
                case None:
                    pass
            yield event
