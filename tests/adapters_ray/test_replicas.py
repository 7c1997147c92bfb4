"""Two replicas of the engine on a Ray of their own: asked by the unmodified openai client and by our remote engine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import openai
import psutil
import pytest
import pytest_asyncio
from openai import AsyncOpenAI

from bot.engine.remote.engine import RemoteEngine
from bot.errors import EngineError
from bot.types import Budget, Finished, Message, Prompt, Sampling
from tests.adapters_openai.house import client_of
from tests.adapters_ray.house import START_SECONDS, Replicas, replicas
from tests.engine.remote.house import remote

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(START_SECONDS + 180)]

HELLO: Any = [{"role": "user", "content": "hello there"}]
ENDLESS: Any = {"model": "tiny", "messages": HELLO, "logit_bias": {"1": -100}}  # token 1 ends an answer
SESSIONS = [f"session-{number}" for number in range(12)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Replicas]:
    async with replicas(tmp_path_factory.mktemp("replicas")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def client(fleet: Replicas) -> AsyncIterator[AsyncOpenAI]:
    async with client_of(fleet.url) as opened:
        yield opened


def prompt_of(conversation: str, *messages: Message, most: int = 8) -> Prompt:
    return Prompt(
        messages=messages,
        sampling=Sampling(max_tokens=most, temperature=0.0),
        budget=Budget(context=4096, reserved=most, prompt=64),
        conversation=conversation,
    )


async def who(client: AsyncOpenAI, session: str | None = None) -> int:
    """The process that answers."""
    answer = await client.chat.completions.with_raw_response.create(
        model="tiny", messages=HELLO, max_tokens=2, extra_headers={"X-Session-ID": session} if session else {}
    )
    return int(answer.headers["x-served-by"].rpartition("-")[2])


async def until(true: Callable[[], Awaitable[bool]], *, seconds: float = 180) -> None:
    async with asyncio.timeout(seconds):
        while not await true():
            await asyncio.sleep(0.2)


async def test_answers_come_whole_and_in_pieces_as_from_one_engine(client: AsyncOpenAI) -> None:
    asked: dict[str, Any] = {"model": "tiny", "messages": HELLO, "max_tokens": 16, "temperature": 0}
    whole = await client.chat.completions.create(**asked)
    assert whole.usage is not None
    assert whole.usage.completion_tokens == 16
    stream = await client.chat.completions.create(**asked, stream=True)
    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert len([piece for piece in pieces if piece]) > 3
    assert "".join(pieces) == whole.choices[0].message.content


async def test_a_stream_passes_while_it_is_written(client: AsyncOpenAI) -> None:
    clock = asyncio.get_running_loop().time
    stream = await client.chat.completions.create(**ENDLESS, max_tokens=300, stream=True)
    came = [clock() async for _ in stream]
    assert came[len(came) // 2] < came[-1], "all pieces came at once"
    assert len({round(each, 3) for each in came}) > 20


async def test_both_replicas_answer_and_a_session_stays_with_one(client: AsyncOpenAI) -> None:
    first = [await who(client, session) for session in SESSIONS]
    again = await asyncio.gather(*(who(client, session) for session in SESSIONS))
    assert len(set(first)) == 2
    assert list(again) == first
    assert {await who(client) for _ in range(20)} == set(first), "what has no session goes to either"


async def test_nothing_opens_without_the_key_and_probes_need_none(fleet: Replicas) -> None:
    async with client_of(fleet.url, key="wrong-key-of-some-length") as stranger:
        with pytest.raises(openai.AuthenticationError):
            await stranger.models.list()
    async with httpx.AsyncClient(base_url=fleet.url.removesuffix("/v1")) as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/readyz")).status_code == 200


async def test_what_is_refused_has_the_same_words_as_from_one_engine(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="'tiny'"):
        await client.chat.completions.create(model="gpt-4", messages=HELLO)
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(model="tiny", messages=HELLO, n=2)
    assert caught.value.param == "n"


async def test_a_caller_that_goes_away_frees_its_slot(client: AsyncOpenAI) -> None:
    """Four slots of one replica are taken by answers that nobody waits for; then it answers as quickly as before."""
    asked: dict[str, Any] = {**ENDLESS, "extra_headers": {"X-Session-ID": "leaving"}}
    streams = [await client.chat.completions.create(**asked, max_tokens=4000, stream=True) for _ in range(4)]
    for stream in streams:
        await anext(aiter(stream))
    for stream in streams:
        await stream.close()
    async with asyncio.timeout(3):
        await client.chat.completions.create(**asked, max_tokens=2)


async def tell(engine: RemoteEngine, prompt: Prompt) -> tuple[str, Finished]:
    texts: list[str] = []
    async for event in engine.generate(prompt):
        if isinstance(event, Finished):
            return "".join(texts), event
        texts.append(event.text)
    raise AssertionError("it has no end")


async def test_a_conversation_of_the_remote_engine_finds_its_beginning_in_the_cache(fleet: Replicas) -> None:
    async with remote([fleet.url]) as engine:
        assert engine.context == 4096
        for number in range(8):
            system = Message(role="system", text=f"{number} is my number, " * 12)
            question = Message(role="user", text="hello")
            prompt = prompt_of(f"web:site:{number}", system, question)
            said, first = await tell(engine, prompt)
            follows = (*prompt.messages, Message(role="assistant", text=said), Message(role="user", text="and now?"))
            _, second = await tell(engine, replace(prompt, messages=follows))
            assert second.cached_tokens >= first.prompt_tokens - 8, "another replica answered"


async def test_a_replica_killed_in_the_middle_costs_one_answer_and_is_started_anew(
    fleet: Replicas, client: AsyncOpenAI
) -> None:
    before = {session: await who(client, session) for session in SESSIONS}
    lost = before[SESSIONS[0]]
    worker = psutil.Process(lost).children()
    assert worker
    stream = await client.chat.completions.create(
        **ENDLESS, max_tokens=4000, stream=True, extra_headers={"X-Session-ID": SESSIONS[0]}
    )
    chunks = aiter(stream)
    await anext(chunks)
    psutil.Process(lost).kill()
    with pytest.raises((openai.APIError, httpx.HTTPError)):
        async for _ in chunks:
            pass

    async with remote([fleet.url]) as engine:
        for number in range(8):
            _, finished = await tell(engine, prompt_of(f"after:{number}", Message(role="user", text="hello")))
            assert finished.new_tokens == 8

    async def two_again() -> bool:
        now = {await who(client, session) for session in SESSIONS}
        assert lost not in now
        return len(now) == 2

    await until(two_again)
    psutil.wait_procs(worker, timeout=10)
    assert not any(each.is_running() for each in worker), "the worker of the killed replica lives on"


async def test_on_sigterm_answers_under_way_end_and_nothing_is_left(fleet: Replicas, client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(**ENDLESS, max_tokens=300, stream=True)
    chunks = aiter(stream)
    await anext(chunks)
    below = fleet.below()
    fleet.process.terminate()
    reasons = [chunk.choices[0].finish_reason async for chunk in chunks]
    assert reasons[-1] == "length"
    async with asyncio.timeout(120):
        assert await fleet.process.wait() == 0
    psutil.wait_procs(below, timeout=20)
    assert [each.cmdline() for each in below if each.is_running()] == []
    assert list(fleet.scratch.iterdir()) == []


async def test_the_remote_engine_says_so_when_the_fleet_is_gone(fleet: Replicas) -> None:
    assert fleet.process.returncode == 0
    async with remote([fleet.url], attempts=1, connect_seconds=1.0) as engine:
        with pytest.raises(EngineError):
            await tell(engine, prompt_of("gone", Message(role="user", text="hello")))
