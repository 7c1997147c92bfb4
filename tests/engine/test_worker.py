"""The worker may die, hang or be flooded; nobody is lost and nothing is left behind."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.engine.client import LocalEngine, open_engine
from bot.engine.settings import EngineSettings
from bot.errors import EngineBusy, EngineDied, EngineError, EngineTimeout, ModelRefused, RequestRefused
from bot.types import Constraint, Finished, Message, Prompt, TextDelta
from tests.conformance.engine import answer, ask
from tests.crash.canaries import USERS, cancel_many, known_answers
from tests.engine.models import make_folder

pytestmark = pytest.mark.asyncio(loop_scope="module")

Settings = Callable[..., EngineSettings]


def long(engine: LocalEngine) -> Prompt:
    return ask("go on", engine=engine, max_tokens=200)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


async def gone(pid: int) -> bool:
    until = time.monotonic() + 30
    while alive(pid) and time.monotonic() < until:
        await asyncio.sleep(0.02)
    return not alive(pid)


async def test_of_five_hundred_cancelled_requests_none_shows_another_users_answer_and_nothing_is_left(
    engine: LocalEngine,
) -> None:
    known = await known_answers(engine)
    assert len({text[:8] for text in known}) == USERS
    found = await cancel_many(engine, known, 500, seed=1)  # the soak makes it ten thousand
    assert (found.foreign, found.cancelled + found.finished) == (0, 500)
    assert found.cancelled > 400
    assert await known_answers(engine) == known
    assert (engine.in_flight, engine.unconfirmed) == (0, 0)


async def test_the_check_for_foreign_text_knows_it_when_it_sees_it(engine: LocalEngine) -> None:
    known = await known_answers(engine)
    found = await cancel_many(engine, [*known[1:], known[0]], 20, seed=1)
    assert found.foreign > 10


async def test_a_flood_is_told_that_the_engine_is_busy_and_the_rest_is_answered(engine: LocalEngine) -> None:
    prompt = ask("hello", engine=engine, max_tokens=40)
    results = await asyncio.gather(*(answer(engine, prompt) for _ in range(30)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, EngineBusy)]
    answered = [result for result in results if isinstance(result, tuple)]
    assert len(answered) == 12
    assert len(refused) == 18
    assert refused[0].waiting == 8


async def test_a_stop_string_and_the_token_limit_end_an_answer(engine: LocalEngine) -> None:
    text, finished = await answer(engine, long(engine))
    assert (finished.reason, finished.new_tokens) == ("length", 200)
    stop = text[20:23]
    cut, finished = await answer(engine, ask("go on", engine=engine, max_tokens=200, stop=(stop,)))
    assert finished.reason == "stop"
    assert cut == text[: text.index(stop)]


async def test_over_the_turns_of_a_conversation_only_what_is_new_is_read(engine: LocalEngine) -> None:
    messages = [Message(role="system", text="You are kind."), Message(role="user", text="hello there")]
    told: list[Finished] = []
    for question in ("and then?", "why?", "thank you"):
        asked = ask("", engine=engine, max_tokens=12)
        text, finished = await answer(engine, replace(asked, messages=tuple(messages)))
        told.append(finished)
        messages += [Message(role="assistant", text=text), Message(role="user", text=question)]
    for before, after in pairwise(told):
        assert before.prompt_tokens <= after.cached_tokens < after.prompt_tokens


def with_sampling(prompt: Prompt, **changes: Any) -> Prompt:
    return replace(prompt, sampling=replace(prompt.sampling, **changes))


async def test_log_probabilities_come_with_the_text_they_belong_to(engine: LocalEngine) -> None:
    plain = await answer(engine, ask("hello", engine=engine, max_tokens=20))
    prompt = with_sampling(ask("hello", engine=engine, max_tokens=20), logprobs=2)
    deltas = [event async for event in engine.generate(prompt) if isinstance(event, TextDelta)]
    assert "".join(delta.text for delta in deltas) == plain[0]
    chances = [chance for delta in deltas for chance in delta.logprobs]
    assert len(chances) >= len(deltas)
    assert all(chance.logprob <= 0 and len(chance.top) == 2 for chance in chances)
    whole = [delta for delta in deltas if len(delta.logprobs) == 1]
    assert whole
    assert all(delta.logprobs[0].text == delta.text for delta in whole)


async def test_a_constraint_is_kept_and_a_bad_one_refused_while_others_go_on(engine: LocalEngine) -> None:
    prompt = ask("hello", engine=engine, max_tokens=30)
    good = with_sampling(prompt, constraint=Constraint(kind="regex", text="(red|green) [0-9]{3}"))
    bad = with_sampling(prompt, constraint=Constraint(kind="regex", text="("))
    texts = await asyncio.gather(*(answer(engine, p) for p in (prompt, good, bad)), return_exceptions=True)
    assert isinstance(texts[2], RequestRefused)
    assert isinstance(texts[1], tuple)
    assert re.fullmatch("(red|green) [0-9]{3}", texts[1][0])
    assert isinstance(texts[0], tuple)
    assert texts[0][0] == (await answer(engine, prompt))[0]


@pytest.mark.parametrize("changes", [{"logit_bias": ((320, 1.0),)}, {"logit_bias": ((-1, 1.0),)}, {"logprobs": 21}])
async def test_what_the_model_cannot_do_is_refused(engine: LocalEngine, changes: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused):
        await answer(engine, with_sampling(ask("hello", engine=engine), **changes))


async def test_an_answer_ends_where_the_context_does(engine: LocalEngine) -> None:
    prompt = ask("go on", engine=engine, max_tokens=5000)
    _, finished = await answer(engine, prompt)
    assert finished.prompt_tokens + finished.new_tokens == engine.context


async def test_killing_the_worker_fails_what_was_shown_and_answers_what_was_not(engine: LocalEngine) -> None:
    shown = engine.generate(long(engine))
    await anext(shown)
    pid = engine.worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    unseen = asyncio.create_task(answer(engine, ask("waiting", engine=engine)))
    await asyncio.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EngineDied):
        async for _ in shown:
            pass
    _, finished = await unseen
    assert finished.new_tokens == 8
    assert engine.worker_pid != pid


async def test_ctrl_c_and_terminate_leave_the_worker_alone(engine: LocalEngine) -> None:
    pid = engine.worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    os.kill(pid, signal.SIGTERM)
    await answer(engine, ask("still there?", engine=engine))
    assert engine.worker_pid == pid
    assert os.getsid(pid) != os.getsid(0)


async def test_a_hung_worker_is_replaced_and_the_next_request_is_answered(engine: LocalEngine) -> None:
    pid = engine.worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(answer(engine, ask("stuck", engine=engine)), 0.1)
    assert await gone(pid)
    await answer(engine, ask("after", engine=engine))


async def test_the_deadline_ends_a_request_and_the_event_loop_stays_free_while_the_model_loads(
    settings: Settings,
) -> None:
    worst = 0.0

    async def beat() -> None:
        nonlocal worst
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.005)
            worst = max(worst, time.monotonic() - began - 0.005)

    opened = time.monotonic()
    async with open_engine(settings(deadline=0.3)) as engine:
        with pytest.raises(EngineError, match="still loading"):
            await engine.check()
        beating = asyncio.create_task(beat())
        with pytest.raises(EngineTimeout, match=r"0\.3 s"):
            await answer(engine, ask("too soon", engine=engine))
        await engine.wait_loaded()
        loading = time.monotonic() - opened
        await engine.check()
        beating.cancel()
    assert worst < loading / 10


async def test_weights_that_lack_tensors_are_refused_by_the_worker_in_one_line(
    settings: Settings, tmp_path: Path
) -> None:
    folder = make_folder(tmp_path / "model")
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"num_hidden_layers": 2', '"num_hidden_layers": 3'))
    async with open_engine(settings(model=str(folder))) as engine:
        with pytest.raises(ModelRefused, match="lack") as caught:
            await engine.wait_loaded()
        with pytest.raises(ModelRefused):
            await engine.check()
        with pytest.raises(ModelRefused):
            await answer(engine, ask("hello", engine=engine))
    assert "\n" not in str(caught.value)


async def test_the_worker_dies_with_a_parent_that_is_killed(folder: Path) -> None:
    code = f"""
import asyncio
from bot.engine.client import open_engine
from bot.engine.settings import EngineSettings
async def main():
    async with open_engine(EngineSettings(model={str(folder)!r})) as engine:
        while engine.worker_pid is None:
            await asyncio.sleep(0.01)
        print(engine.worker_pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    assert await gone(pid)


async def test_closing_the_engine_ends_its_worker_at_once(settings: Settings) -> None:
    async with open_engine(settings()) as engine:
        while engine.worker_pid is None:
            await asyncio.sleep(0.01)
        pid = engine.worker_pid
        began = time.monotonic()
    assert time.monotonic() - began < 10
    assert not alive(pid)


async def test_an_error_of_the_owner_comes_out_as_it_is(settings: Settings) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with open_engine(settings()):
            raise KeyError("mine")


async def test_a_model_without_a_chat_template_continues_a_plain_dialogue_and_is_int8_where_that_is_asked_for(
    settings: Settings, tmp_path: Path
) -> None:
    folder = make_folder(tmp_path / "model", "gpt2", template=None)
    async with open_engine(settings(model=str(folder), dtype="int8")) as engine:
        assert (await engine.wait_loaded()).dtype == "int8"
        assert engine.caution
        assert engine.count_tokens([Message(role="user", text="")]) > 0
        _, finished = await answer(engine, ask("hello", engine=engine))
        assert finished.new_tokens > 0
