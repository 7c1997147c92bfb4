"""What networks and fleets do to a request: each kind of fault, before and after the first token."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from bot.engine.remote.engine import RemoteEngine
from bot.errors import EngineBusy, EngineDied, EngineError, EngineTimeout, ModelRefused, PromptTooLong, RequestRefused
from bot.testing import ScriptedEngine
from bot.types import Constraint, Finished, Generated, Prompt, Sampling, TextDelta, TokenChance
from tests.conformance.engine import answer, ask
from tests.engine.remote.house import fleet, until
from tests.engine.remote.proxy import How

WORDS = "one two three four"


def patience(how: How) -> dict[str, Any]:
    """Short where nothing will come."""
    return {"first_seconds": 2.0} if how in ("hang", "mute") else {}


async def text_of(engine: RemoteEngine, question: str = "hello") -> str:
    return (await answer(engine, ask(question, engine=engine)))[0]


@pytest.mark.parametrize("how", ["500", "429", "garbage", "html", "hang", "mute", "refuse", "401", "404"])
async def test_before_the_first_token_another_endpoint_is_asked(how: How) -> None:
    async with fleet(ScriptedEngine(WORDS), ScriptedEngine(WORDS), **patience(how)) as house:
        house.proxies[0].script.append(how)
        texts = [await text_of(house.engine) for _ in range(3)]
        assert texts == [WORDS] * 3
        assert sum(house.questions) == 4
        assert house.engine.in_flight == 0


@pytest.mark.parametrize("how", ["500", "garbage", "html", "hang", "mute"])
async def test_a_single_endpoint_is_asked_again(how: How) -> None:
    async with fleet(ScriptedEngine(WORDS), **patience(how)) as house:
        house.proxies[0].script.append(how)
        assert await text_of(house.engine) == WORDS
        assert house.questions == [2]


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("500", EngineDied),
        ("garbage", EngineDied),
        ("html", EngineDied),
        ("hang", EngineTimeout),
        ("mute", EngineTimeout),
        ("429", EngineBusy),
        ("401", ModelRefused),
        ("404", ModelRefused),
    ],
)
async def test_where_no_attempt_helps_the_error_says_what_it_was(how: How, kind: type[EngineError]) -> None:
    async with fleet(ScriptedEngine(WORDS), attempts=2, **patience(how)) as house:
        house.proxies[0].then = how
        with pytest.raises(kind) as caught:
            await text_of(house.engine)
        assert "\n" not in str(caught.value)
        assert house.questions == [1 if how == "429" else 2]
        house.proxies[0].then = "pass"
        await asyncio.sleep(1.05 if how == "429" else 0)
        assert await text_of(house.engine) == WORDS


@pytest.mark.parametrize(("how", "kind"), [("cut", EngineDied), ("silence", EngineTimeout)])
async def test_after_the_first_token_nothing_is_asked_again(how: How, kind: type[EngineError]) -> None:
    slow = [ScriptedEngine(WORDS, delay=0.1) for _ in range(2)]
    async with fleet(*slow, idle_seconds=2.0) as house:
        for each in house.proxies:
            each.then = how
        shown: list[str] = []

        async def listen() -> None:
            async with aclosing(house.engine.generate(ask("hello", engine=house.engine))) as events:
                async for event in events:
                    assert isinstance(event, TextDelta)
                    shown.append(event.text)

        with pytest.raises(kind):
            await listen()
        assert shown
        assert WORDS.startswith("".join(shown))
        assert sum(house.questions) == 1


async def test_a_slow_endpoint_is_waited_for_within_its_time() -> None:
    async with fleet(ScriptedEngine(WORDS, delay=0.2)) as house:
        house.proxies[0].delay = 0.6
        assert await text_of(house.engine) == WORDS
        assert house.questions == [1]


async def test_the_deadline_bounds_an_answer_that_goes_on_and_on() -> None:
    engine = ScriptedEngine("word " * 1000, delay=0.05)
    async with fleet(engine, deadline=2.0) as house:
        with pytest.raises(EngineTimeout, match="deadline"):
            await text_of(house.engine)
        await until(lambda: engine.running == 0)


async def test_closing_the_answer_frees_the_slot_on_the_server() -> None:
    engine = ScriptedEngine("word " * 1000, delay=0.05)
    async with fleet(engine) as house:
        async with aclosing(house.engine.generate(ask("hello", engine=house.engine))) as events:
            await anext(events)
            assert engine.running == 1
        await until(lambda: engine.running == 0)
        assert house.engine.in_flight == 0


async def test_giving_up_before_the_first_token_frees_the_slot_on_the_server() -> None:
    engine = ScriptedEngine("word", delay=30)
    async with fleet(engine) as house:
        asking = asyncio.create_task(text_of(house.engine))
        await until(lambda: engine.running == 1)
        asking.cancel()
        await asyncio.wait({asking})
        await until(lambda: engine.running == 0)
        assert house.engine.in_flight == 0


async def test_an_engine_that_fails_behind_the_server_comes_through_as_what_it_was() -> None:
    errors: list[BaseException] = [EngineBusy(waiting=3), EngineTimeout("late"), EngineDied("gone")]
    engine = ScriptedEngine(lambda _: errors.pop(0))
    async with fleet(engine, attempts=1) as house:
        for kind in (EngineBusy, EngineDied, EngineDied):
            with pytest.raises(kind):
                await text_of(house.engine)
            await asyncio.sleep(1.05 if kind is EngineBusy else 0)


async def test_a_prompt_that_only_the_server_finds_too_long_is_told_as_that() -> None:
    async with fleet(ScriptedEngine(WORDS, context=20), context=4096) as house:
        with pytest.raises(PromptTooLong):
            await text_of(house.engine, "word " * 30)
        assert house.questions == [1]


async def test_more_than_may_be_in_flight_is_busy_at_once() -> None:
    async with fleet(ScriptedEngine(WORDS, delay=0.2), at_once=2) as house:
        results = await asyncio.gather(*(text_of(house.engine) for _ in range(4)), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["EngineBusy", "EngineBusy", "str", "str"]
        assert house.engine.in_flight == 0


async def test_every_way_of_sampling_is_passed_on() -> None:
    behind = ScriptedEngine(WORDS)
    sampling = Sampling(
        max_tokens=5,
        temperature=0.3,
        top_p=0.8,
        top_k=4,
        repetition_penalty=1.1,
        stop=("x", "y"),
        seed=3,
        min_p=0.1,
        presence_penalty=0.5,
        logit_bias=((7, -100.0),),
        logprobs=2,
        constraint=Constraint(kind="json_schema", text='{"type": "object"}'),
    )
    async with fleet(behind) as house:
        prompt = ask("hello", engine=house.engine)
        await answer(house.engine, replace(prompt, sampling=sampling))
        regex = replace(sampling, constraint=Constraint(kind="regex", text="a+"))
        with pytest.raises(RequestRefused, match="regex"):
            await answer(house.engine, replace(prompt, sampling=regex))
        assert house.questions == [1]
    assert behind.prompts[0].sampling == sampling


async def test_an_adapter_is_refused_and_not_left_out_silently() -> None:
    async with fleet(ScriptedEngine(WORDS)) as house:
        prompt = replace(ask("hello", engine=house.engine), adapter="acme")
        with pytest.raises(RequestRefused, match="acme"):
            await answer(house.engine, prompt)
        assert house.questions == [0]


async def test_log_probabilities_come_through() -> None:
    class Sure(ScriptedEngine):
        async def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
            yield chance
            yield Finished(reason="stop", prompt_tokens=1, new_tokens=1)

    chance = TextDelta("one", (TokenChance("one", -0.5, (("one", -0.5), ("eins", -2.0))),))
    async with fleet(Sure("")) as house:
        prompt = ask("hello", engine=house.engine)
        asked = replace(prompt, sampling=replace(prompt.sampling, logprobs=2))
        first, _ = [event async for event in house.engine.generate(asked)]
        assert first == chance


async def test_extra_fields_of_the_settings_go_with_every_request() -> None:
    behind = ScriptedEngine(WORDS)
    async with fleet(behind, extra={"top_k": 9}) as house:
        await text_of(house.engine)
    assert behind.prompts[0].sampling.top_k == 9
