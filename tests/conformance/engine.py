"""What every Engine keeps to. Subclass `EngineContract` and give it an `engine` fixture."""

import asyncio
from contextlib import aclosing

import pytest

from bot.errors import PromptTooLong
from bot.ports import Engine
from bot.types import Budget, Finished, Message, Prompt, Sampling, TextDelta


def ask(text: str, *, engine: Engine, max_tokens: int = 8, seed: int | None = 1, stop: tuple[str, ...] = ()) -> Prompt:
    """A prompt of one user message, with its true token count."""
    messages = (Message(role="user", text=text),)
    return Prompt(
        messages=messages,
        sampling=Sampling(max_tokens=max_tokens, temperature=0.8, seed=seed, stop=stop),
        budget=Budget(context=engine.context, reserved=max_tokens, prompt=engine.count_tokens(messages)),
    )


async def answer(engine: Engine, prompt: Prompt) -> tuple[str, Finished]:
    """The whole text and the last event."""
    pieces: list[str] = []
    async with aclosing(engine.generate(prompt)) as events:
        async for event in events:
            if isinstance(event, Finished):
                return "".join(pieces), event
            pieces.append(event.text)
    pytest.fail("the generation ended without Finished")


class EngineContract:
    async def test_text_comes_in_deltas_and_ends_with_one_finished(self, engine: Engine) -> None:
        events = [event async for event in engine.generate(ask("hello there", engine=engine))]
        assert events
        assert isinstance(events[-1], Finished)
        assert all(isinstance(event, TextDelta) and event.text for event in events[:-1])

    async def test_finished_counts_the_prompt_as_count_tokens_does(self, engine: Engine) -> None:
        prompt = ask("one two three 四五六", engine=engine)
        _, finished = await answer(engine, prompt)
        assert finished.prompt_tokens == engine.count_tokens(prompt.messages)
        assert finished.new_tokens >= 1

    async def test_longer_messages_count_more_tokens(self, engine: Engine) -> None:
        short = engine.count_tokens([Message(role="user", text="a b")])
        long = engine.count_tokens([Message(role="user", text="a b"), Message(role="assistant", text="c d e")])
        assert 0 < short < long

    async def test_a_seeded_request_says_the_same_again(self, engine: Engine) -> None:
        prompt = ask("tell me", engine=engine)
        assert (await answer(engine, prompt))[0] == (await answer(engine, prompt))[0]

    async def test_requests_at_once_get_the_answers_they_get_alone(self, engine: Engine) -> None:
        prompts = [ask(f"question {number} " * number, engine=engine, seed=number) for number in range(1, 7)]
        alone = [(await answer(engine, prompt))[0] for prompt in prompts]
        together = await asyncio.gather(*(answer(engine, prompt) for prompt in prompts))
        assert [text for text, _ in together] == alone

    async def test_a_generator_closed_in_the_middle_leaves_the_engine_usable(self, engine: Engine) -> None:
        async with aclosing(engine.generate(ask("first", engine=engine, max_tokens=64))) as events:
            async for _ in events:
                break
        await answer(engine, ask("second", engine=engine))

    async def test_a_task_cancelled_while_it_waits_leaves_the_engine_usable(self, engine: Engine) -> None:
        task = asyncio.create_task(answer(engine, ask("first", engine=engine, max_tokens=64)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await answer(engine, ask("second", engine=engine))

    async def test_it_names_its_model_and_answers_its_check(self, engine: Engine) -> None:
        await engine.check()
        assert engine.model
        assert engine.context > 0


class BoundedEngineContract(EngineContract):
    """For engines that hold a context of their own."""

    async def test_a_prompt_over_the_context_is_refused_with_both_counts(self, engine: Engine) -> None:
        prompt = ask("long " * (engine.context + 1), engine=engine)
        with pytest.raises(PromptTooLong) as caught:
            await answer(engine, prompt)
        assert caught.value.prompt_tokens == engine.count_tokens(prompt.messages)
        assert caught.value.context == engine.context
