"""The engine's API, driven by the unmodified openai client."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from bot.errors import EngineBusy, EngineDied, EngineError, EngineTimeout, RequestRefused
from bot.testing import ScriptedEngine
from bot.types import Constraint, Finished, TextDelta, TokenChance
from tests.adapters_openai.house import KEY, client_of, served

HELLO: Any = [{"role": "user", "content": "hello there"}]


@asynccontextmanager
async def asking(engine: ScriptedEngine, *, key: str | None = None) -> AsyncIterator[AsyncOpenAI]:
    async with served(engine) as server, client_of(server.address, **({"key": key} if key else {})) as client:
        yield client


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_whole_answer_comes_with_its_usage() -> None:
    async with asking(ScriptedEngine("one two 三")) as client:
        answer = await client.chat.completions.create(model="tiny", messages=HELLO)
    [choice] = answer.choices
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", "one two 三", "stop")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (3, 3, 6)
    assert (answer.model, answer.object) == ("tiny", "chat.completion")


@pytest.mark.parametrize("usage", [True, False])
async def test_a_stream_joins_to_the_answer_and_tells_usage_where_asked(usage: bool) -> None:
    async with asking(ScriptedEngine("one two three")) as client:
        stream = await client.chat.completions.create(
            model="tiny", messages=HELLO, stream=True, stream_options={"include_usage": usage}
        )
        chunks = [chunk async for chunk in stream]
    assert len({chunk.id for chunk in chunks}) == 1
    with_choice = [chunk for chunk in chunks if chunk.choices]
    assert with_choice[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in with_choice) == "one two three"
    assert [chunk.choices[0].finish_reason for chunk in with_choice] == [None] * (len(with_choice) - 1) + ["stop"]
    told = [chunk.usage for chunk in chunks if chunk.usage is not None]
    assert [each.total_tokens for each in told] == ([6] if usage else [])
    assert not usage or not chunks[-1].choices


async def test_what_is_asked_reaches_the_engine() -> None:
    engine = ScriptedEngine("ok", context=100)
    schema: dict[str, object] = {"type": "integer"}
    async with asking(engine) as client:
        await client.chat.completions.create(
            model="tiny",
            messages=[
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
                {"role": "assistant", "content": "c"},
                {"role": "user", "content": "d"},
            ],
            max_completion_tokens=7,
            temperature=0,
            top_p=0.5,
            stop=["\n", "END"],
            seed=42,
            user="ann",
            prompt_cache_key="web:site:1",
            presence_penalty=0.5,
            logit_bias={"7": -100, "8": 2},
            logprobs=True,
            top_logprobs=2,
            response_format={"type": "json_schema", "json_schema": {"name": "age", "schema": schema}},
            extra_body={"top_k": 3, "repetition_penalty": 1.1, "min_p": 0.1},
        )
        await client.chat.completions.create(model="tiny", messages=HELLO, stop="x", max_tokens=5)
        await client.chat.completions.create(model="tiny", messages=HELLO, response_format={"type": "text"}, n=1)
    first, second, third = engine.prompts
    said = [("system", "Be brief."), ("user", "a\nb"), ("assistant", "c"), ("user", "d")]
    assert [(message.role, message.text) for message in first.messages] == said
    sampling = first.sampling
    assert (sampling.max_tokens, sampling.temperature, sampling.top_p, sampling.seed) == (7, 0.0, 0.5, 42)
    assert (sampling.stop, sampling.top_k, sampling.repetition_penalty) == (("\n", "END"), 3, 1.1)
    assert (sampling.min_p, sampling.presence_penalty, sampling.logprobs) == (0.1, 0.5, 2)
    assert sampling.logit_bias == ((7, -100.0), (8, 2.0))
    assert sampling.constraint == Constraint(kind="json_schema", text='{"type": "integer"}')
    assert first.conversation == "web:site:1"
    assert (second.sampling.logprobs, second.sampling.constraint) == (None, None)
    assert (second.sampling.stop, second.sampling.max_tokens) == (("x",), 5)
    assert (third.sampling.max_tokens, third.sampling.temperature, third.sampling.top_p) == (97, 1.0, 1.0)


class Sure(ScriptedEngine):
    """Tells how likely its words were."""

    async def generate(self, prompt: Any) -> Any:
        yield TextDelta("one", (TokenChance("one", -0.5, (("one", -0.5), ("eins", -math.inf))),))
        yield TextDelta(" 二", (TokenChance(" 二", -1.5),))
        yield Finished(reason="stop", prompt_tokens=1, new_tokens=2)


@pytest.mark.parametrize("stream", [True, False])
async def test_log_probabilities_are_told_where_asked(stream: bool) -> None:
    async with asking(Sure("")) as client:
        told: list[Any] = []
        if stream:
            chunks = await client.chat.completions.create(
                model="tiny", messages=HELLO, logprobs=True, top_logprobs=2, stream=True
            )
            async for chunk in chunks:
                if chunk.choices[0].logprobs is not None:
                    told += chunk.choices[0].logprobs.content or []
        else:
            answer = await client.chat.completions.create(model="tiny", messages=HELLO, logprobs=True, top_logprobs=2)
            assert answer.choices[0].logprobs is not None
            told += answer.choices[0].logprobs.content or []
        plain = await client.chat.completions.create(model="tiny", messages=HELLO)
    assert [(each.token, each.logprob) for each in told] == [("one", -0.5), (" 二", -1.5)]
    assert bytes(told[1].bytes).decode() == " 二"
    assert [(each.token, each.logprob) for each in told[0].top_logprobs] == [("one", -0.5), ("eins", -9999.0)]
    assert plain.choices[0].logprobs is None


async def test_models_are_listed_and_found_by_name() -> None:
    async with asking(ScriptedEngine("ok", context=100)) as client:
        [listed] = (await client.models.list()).data
        assert listed.id == "tiny"
        assert listed.model_extra == {"max_model_len": 100}
        assert (await client.models.retrieve("tiny")).id == "tiny"
        with pytest.raises(openai.NotFoundError, match="'tiny'"):
            await client.models.retrieve("gpt-4")
        with pytest.raises(openai.NotFoundError, match="'tiny'"):
            await client.chat.completions.create(model="gpt-4", messages=HELLO)


@pytest.mark.parametrize("key", ["wrong-key-of-some-length", "a-key-for-tests-alon", "a-key-for-tests-alone2"])
async def test_without_the_key_nothing_opens(key: str) -> None:
    engine = ScriptedEngine("ok")
    async with asking(engine, key=key) as client:
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()
        with pytest.raises(openai.AuthenticationError):
            await client.chat.completions.create(model="tiny", messages=HELLO)
        with pytest.raises(openai.AuthenticationError):
            await client.post("/nothing", cast_to=object)
    async with served(engine) as server, httpx.AsyncClient(base_url=server.address) as http:
        for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": f"Basic {KEY}"}, {"Authorization": KEY}):
            assert (await http.get("/models", headers=headers)).status_code == 401
    assert engine.prompts == []


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"n": 2}, "n"),
        ({"tools": []}, "tools"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": ""}, "stop"),
        ({"seed": 2**64}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"logit_bias": {"word": 1}}, "logit_bias"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"frequency_penalty": 1.0}, "frequency_penalty"),
    ],
)
async def test_what_cannot_be_done_is_refused_by_name(asked: dict[str, Any], names: str) -> None:
    engine = ScriptedEngine("ok")
    async with asking(engine) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.chat.completions.create(model="tiny", messages=HELLO, extra_body=asked)
    assert (caught.value.param or "").startswith(names)
    assert names in caught.value.message
    assert caught.value.type == "invalid_request_error"
    assert engine.prompts == []


async def test_neutral_values_of_what_cannot_be_done_are_taken() -> None:
    async with asking(ScriptedEngine("ok")) as client:
        await client.chat.completions.create(
            model="tiny", messages=HELLO, n=1, frequency_penalty=0, presence_penalty=0, logprobs=False, logit_bias={}
        )


async def test_a_prompt_over_the_context_tells_both_counts() -> None:
    async with asking(ScriptedEngine("ok", context=10)) as client:
        with pytest.raises(openai.BadRequestError, match=r"21 tokens.*10") as caught:
            await client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "a " * 20}])
    assert caught.value.code == "context_length_exceeded"


async def test_bodies_that_are_none_are_refused() -> None:
    engine = ScriptedEngine("ok", context=10)
    async with asking(engine) as client:
        for content, status in ((b"", 400), (b"{", 400), (b"[]", 400), (b"\xff\xfe", 400), (b" " * 70_000, 413)):
            with pytest.raises(openai.APIStatusError) as caught:
                await client.post("/chat/completions", content=content, cast_to=object)
            assert caught.value.status_code == status
        for method in (client.get, client.delete):
            with pytest.raises(openai.APIStatusError) as caught:
                await method("/chat/completions", cast_to=object)
            assert caught.value.status_code == 405


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RequestRefused("no"), 400),
        (EngineBusy(waiting=3), 429),
        (EngineTimeout("late"), 504),
        (EngineDied("gone"), 502),
        (EngineError("?"), 503),
    ],
)
async def test_an_engine_that_fails_before_its_answer_has_a_status(
    error: EngineError, status: int, stream: bool
) -> None:
    async with asking(ScriptedEngine(lambda _: error)) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await client.chat.completions.create(model="tiny", messages=HELLO, stream=stream)
    assert caught.value.status_code == status
    assert ("retry-after" in caught.value.response.headers) == (status in (429, 503))


class Dying(ScriptedEngine):
    """Says one word and dies."""

    async def generate(self, prompt: Any) -> Any:
        yield TextDelta("one")
        raise EngineDied("gone")


class Unfinished(ScriptedEngine):
    async def generate(self, prompt: Any) -> Any:
        yield TextDelta("one")


@pytest.mark.parametrize("kind", [Dying, Unfinished])
async def test_an_engine_that_fails_in_the_middle_ends_the_stream_with_an_error(kind: type[ScriptedEngine]) -> None:
    async with asking(kind("")) as client:
        stream = await client.chat.completions.create(model="tiny", messages=HELLO, stream=True)
        texts: list[str | None] = []

        async def read() -> None:
            async for chunk in stream:
                texts.append(chunk.choices[0].delta.content)  # noqa: PERF401 - what came before the error counts

        with pytest.raises(openai.APIError):
            await read()
        assert texts == ["", "one"]
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model="tiny", messages=HELLO)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_caller_that_goes_away_frees_the_slot(stream: bool) -> None:
    engine = ScriptedEngine("word " * 1000, delay=0.05)
    async with asking(engine) as client:

        async def call() -> None:
            answer = await client.chat.completions.create(model="tiny", messages=HELLO, stream=stream)
            if isinstance(answer, openai.AsyncStream):
                async for _ in answer:
                    pass

        calling = asyncio.create_task(call())
        await until(lambda: engine.running == 1)
        await asyncio.sleep(0.2)
        assert engine.running == 1
        calling.cancel()
        await asyncio.wait({calling})
        await until(lambda: engine.running == 0)


async def test_an_answer_of_no_words_is_an_answer() -> None:
    class Silent(ScriptedEngine):
        async def generate(self, prompt: Any) -> Any:
            yield Finished(reason="length", prompt_tokens=3, new_tokens=0)

    async with asking(Silent("")) as client:
        answer = await client.chat.completions.create(model="tiny", messages=HELLO)
        assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("", "length")
        stream = await client.chat.completions.create(model="tiny", messages=HELLO, stream=True)
        assert [chunk.choices[0].finish_reason async for chunk in stream] == [None, "length"]
