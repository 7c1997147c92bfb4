"""The remote engine before a server that we did not write: `transformers serve`, with a tiny model."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from bot.engine.remote.engine import RemoteEngine, open_remote
from bot.engine.remote.settings import RemoteSettings
from bot.errors import ModelRefused
from bot.types import Sampling
from tests.conformance.engine import answer, ask
from tests.engine.remote.proxy import How, proxy
from tests.ports import Port

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.timeout(240)]

TRANSFORMERS = Path(sys.executable).parent / "transformers"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    port = Port()
    log = tmp_path_factory.mktemp("transformers") / "stderr.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            TRANSFORMERS, "serve", str(folder), "--port", str(port.number), "--device", "cpu",
            env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        async with asyncio.timeout(200), httpx.AsyncClient() as http:
            while True:
                assert process.returncode is None, log.read_text()
                with suppress(httpx.TransportError):
                    if (await http.get(f"http://localhost:{port.number}/health")).status_code == 200:
                        break
                await asyncio.sleep(0.1)
        yield f"http://localhost:{port.number}/v1"
    finally:
        process.kill()
        await process.wait()


@pytest_asyncio.fixture(loop_scope="module")
async def engine(address: str, folder: Path) -> AsyncIterator[RemoteEngine]:
    settings = RemoteSettings(endpoints=(address,), model=str(folder), context=256, tokenizer=folder)
    async with open_remote(settings) as engine:
        await engine.probe()
        yield engine


async def test_it_answers_and_both_count_the_same_tokens(engine: RemoteEngine) -> None:
    await engine.check()
    prompt = ask("hello there 你好", engine=engine, max_tokens=6)
    text, finished = await answer(engine, prompt)
    assert finished.prompt_tokens == engine.count_tokens(prompt.messages)
    assert (finished.reason, finished.new_tokens) == ("length", 6)
    assert text.encode()
    assert engine.in_flight == 0


async def test_a_seed_says_the_same_again(engine: RemoteEngine) -> None:
    prompt = ask("tell me", engine=engine, max_tokens=12, seed=5)
    assert (await answer(engine, prompt))[0] == (await answer(engine, prompt))[0]


async def test_what_it_does_not_know_is_left_out_and_asked_again(engine: RemoteEngine) -> None:
    """It refuses requests with `top_k` or `repetition_penalty`."""
    plain = ask("hello", engine=engine, max_tokens=3)
    sampling = Sampling(max_tokens=3, top_k=5, repetition_penalty=1.2)
    for _ in range(2):
        _, finished = await answer(engine, type(plain)(messages=plain.messages, sampling=sampling, budget=plain.budget))
        assert finished.new_tokens == 3


async def test_an_answer_given_up_leaves_the_server_to_the_next(engine: RemoteEngine) -> None:
    async with aclosing(engine.generate(ask("hello", engine=engine, max_tokens=200))) as events:
        await anext(events)
    _, finished = await answer(engine, ask("hello", engine=engine, max_tokens=4))
    assert finished.new_tokens == 4


async def test_faults_before_it_are_got_over(address: str, folder: Path) -> None:
    faults: tuple[How, ...] = ("500", "garbage", "html")
    async with proxy(address) as before:
        settings = RemoteSettings(
            endpoints=(before.url,), model=str(folder), context=256, tokenizer=folder, first_seconds=20.0, break_after=9
        )
        async with open_remote(settings) as engine:
            for how in faults:
                before.script.append(how)
                _, finished = await answer(engine, ask("hello", engine=engine, max_tokens=4))
                assert finished.new_tokens == 4


async def test_a_model_that_it_does_not_serve_is_told_with_those_it_does(address: str, folder: Path) -> None:
    async with open_remote(RemoteSettings(endpoints=(address,), model="other")) as engine:
        await engine.probe()
        with pytest.raises(ModelRefused, match=folder.name):
            await engine.check()
