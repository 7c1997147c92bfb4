"""Our engine under a workload, through the client and worker that serve."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from bot.engine.client import LocalEngine
from bot.errors import EngineError
from bot.measuring.answers import Answer, Ran
from bot.measuring.usage import computed, resident
from bot.measuring.workloads import Conversation, Workload
from bot.types import Budget, Finished, Message, Prompt, Sampling, TextDelta


async def run(
    engine: LocalEngine, workload: Workload, *, ends: frozenset[int], told: Callable[[], None] = lambda: None
) -> Ran:
    """Greedy answers of the workload's length: tokens that would end one are forbidden. `told` is called after each.

    Raises EngineError.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    before = _computed(engine)
    answers: list[list[Answer]] = [[] for _ in workload.conversations]
    sampling = Sampling(
        max_tokens=workload.new, temperature=0.0, logit_bias=tuple((token, -1e4) for token in sorted(ends))
    )

    async def converse(conversation: Conversation, answers: list[Answer]) -> None:
        await asyncio.sleep(conversation.start)
        said: list[Message] = []
        for messages in conversation.turns:
            said = [*said, *messages] if conversation.grows else [*messages]
            answer = await _ask(engine, said, sampling, began=began)
            said.append(Message(role="assistant", text=answer.text))
            answers.append(answer)
            told()

    try:
        async with asyncio.TaskGroup() as group:
            for number, conversation in enumerate(workload.conversations):
                group.create_task(converse(conversation, answers[number]))
    except* EngineError as errors:
        raise errors.exceptions[0] from None
    after, pid = _computed(engine), engine.worker_pid
    took = None if before is None or after is None else after - before
    return Ran(answers, resident(pid) if pid else None, took)


def _computed(engine: LocalEngine) -> float | None:
    pid = engine.worker_pid
    return computed(pid) if pid else None


async def _ask(engine: LocalEngine, said: list[Message], sampling: Sampling, *, began: float) -> Answer:
    loop = asyncio.get_running_loop()
    asked, came, pieces = loop.time() - began, [], []
    budget = Budget(context=engine.context, reserved=sampling.max_tokens, prompt=0)
    async with aclosing(engine.generate(Prompt(messages=tuple(said), sampling=sampling, budget=budget))) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                came.append(loop.time() - began)
                pieces.append(event.text)
            elif isinstance(event, Finished):
                return Answer(
                    asked=asked,
                    came=tuple(came),
                    prompt_tokens=event.prompt_tokens,
                    new_tokens=event.new_tokens,
                    cached_tokens=event.cached_tokens,
                    text="".join(pieces),
                )
    raise EngineError("the answer ended without its last event")
