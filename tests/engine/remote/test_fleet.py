"""Which endpoint is asked: health, least outstanding, conversations that stay, the breaker, hedging."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from bot.engine.remote.breaker import Breaker
from bot.engine.remote.engine import RemoteEngine
from bot.errors import EngineDied, EngineError, ModelRefused
from bot.testing import ScriptedEngine
from tests.adapters_openai.house import KEY, VARIABLE, served
from tests.conformance.engine import answer, ask
from tests.engine.remote.house import fleet, remote, settings_of, until

WORDS = "one two three"


async def tell(engine: RemoteEngine, conversation: str | None = None) -> str:
    return (await answer(engine, replace(ask("hello", engine=engine), conversation=conversation)))[0]


async def test_requests_of_no_conversation_are_spread() -> None:
    async with fleet(*(ScriptedEngine(WORDS, delay=0.1) for _ in range(3))) as house:
        await asyncio.gather(*(tell(house.engine) for _ in range(6)))
        assert house.questions == [2, 2, 2]
        for _ in range(3):
            await tell(house.engine)
        assert house.questions == [3, 3, 3]


async def test_a_conversation_stays_with_its_endpoint_and_conversations_are_spread() -> None:
    async with fleet(*(ScriptedEngine(WORDS) for _ in range(3))) as house:
        homes: dict[str, set[int]] = {}
        names = [f"web:site:{number}" for number in range(12)]
        for name in (*names, *reversed(names)):
            before = house.questions
            await tell(house.engine, name)
            [home] = [n for n, (a, b) in enumerate(zip(before, house.questions, strict=True)) if a != b]
            homes.setdefault(name, set()).add(home)
        assert all(len(home) == 1 for home in homes.values())
        assert len(set().union(*homes.values())) > 1


async def test_a_conversation_leaves_an_endpoint_that_is_far_busier_than_the_idlest() -> None:
    async with fleet(ScriptedEngine(WORDS, delay=0.2), ScriptedEngine(WORDS, delay=0.2), spill=1) as house:
        await asyncio.gather(*(tell(house.engine, "web:site:1") for _ in range(6)))
        assert sorted(house.questions) == [2, 4]


async def test_a_conversation_leaves_an_endpoint_that_is_down_and_returns_to_it() -> None:
    async with fleet(ScriptedEngine(WORDS), ScriptedEngine(WORDS), check_seconds=0.05) as house:
        await tell(house.engine, "web:site:1")
        home = house.questions.index(1)
        house.proxies[home].then = "refuse"
        assert await tell(house.engine, "web:site:1") == WORDS
        house.proxies[home].then = "pass"
        asked = house.proxies[home].questions
        await asyncio.sleep(0.3)
        assert await tell(house.engine, "web:site:1") == WORDS
        assert house.proxies[home].questions == asked + 1


async def test_an_endpoint_whose_health_fails_is_not_asked_while_another_is_well() -> None:
    async with fleet(ScriptedEngine(WORDS), ScriptedEngine(WORDS)) as house:
        house.proxies[0].then = "refuse"
        assert [wrong is None for wrong in (await house.engine.probe()).values()] == [False, True]
        await asyncio.gather(*(tell(house.engine) for _ in range(4)))
        assert house.questions == [0, 4]
        await house.engine.check()


async def test_an_endpoint_that_keeps_failing_is_left_alone_then_tried_by_one_request() -> None:
    async with fleet(ScriptedEngine(WORDS), attempts=1, break_after=2, rest_seconds=0.5) as house:
        [proxy] = house.proxies
        proxy.then = "500"
        for _ in range(4):
            with pytest.raises(EngineDied, match="out of memory"):
                await tell(house.engine)
        assert proxy.questions == 2
        await asyncio.sleep(0.55)
        proxy.then = "pass"
        proxy.delay = 0.1
        results = await asyncio.gather(*(tell(house.engine) for _ in range(3)), return_exceptions=True)
        assert proxy.questions == 3
        assert results.count(WORDS) == 1
        assert await tell(house.engine) == WORDS


def test_a_breaker_rests_longer_each_time_and_forgets_after_a_whole_answer() -> None:
    now = 0.0
    breaker = Breaker(after=2, rest=5, clock=lambda: now)

    def allows() -> bool:
        return breaker.allows

    def rest() -> float:
        nonlocal now
        began = now
        while not allows():
            now += 1
        return now - began

    breaker.failed()
    assert allows()
    breaker.failed()
    assert not allows()
    breaker.failed()  # was under way when it opened
    assert rest() == 5
    breaker.begin()
    assert not allows()
    breaker.failed()
    assert rest() == 10
    breaker.begin()
    breaker.answered()
    assert allows()
    breaker.failed()
    assert rest() == 20
    breaker.begin()
    breaker.abandoned()
    assert allows()
    breaker.begin()
    breaker.succeeded()
    breaker.failed()
    assert allows()


async def test_a_second_endpoint_is_asked_where_the_first_is_slow_and_the_slower_is_dropped() -> None:
    slow, quick = ScriptedEngine("slow", delay=5), ScriptedEngine("quick")
    async with fleet(slow, quick, hedge_seconds=0.2) as house:
        first = await tell(house.engine)
        second = await tell(house.engine)
        assert {first, second} == {"quick"}
        assert house.questions == [2, 2]
        await until(lambda: slow.running == 0)
        assert house.engine.in_flight == 0


async def test_without_hedging_a_slow_endpoint_is_waited_for() -> None:
    slow, quick = ScriptedEngine("slow", delay=0.6), ScriptedEngine("quick")
    async with fleet(slow, quick) as house:
        assert {await tell(house.engine), await tell(house.engine)} == {"slow", "quick"}
        assert house.questions == [1, 1]


async def test_hedging_sends_nothing_where_the_answer_begins_in_time() -> None:
    async with fleet(ScriptedEngine(WORDS, delay=0.3), ScriptedEngine(WORDS), hedge_seconds=2.0) as house:
        assert await tell(house.engine) == WORDS
        assert sum(house.questions) == 1


async def test_check_says_what_is_wrong_and_names_the_models_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(ScriptedEngine(WORDS)) as server:
        async with remote([server.address], model="other") as engine:
            with pytest.raises(ModelRefused, match=r"'other'.*tiny"):
                await engine.check()
        monkeypatch.setattr("tests.engine.remote.house.KEY", "not-the-key-of-this-server")
        async with remote([server.address]) as engine:
            with pytest.raises(ModelRefused, match=VARIABLE):
                await engine.check()
    async with remote(["http://127.0.0.1:9/v1"]) as engine:
        with pytest.raises(EngineError, match="cannot be reached"):
            await engine.check()


async def test_the_key_is_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fleet(ScriptedEngine(WORDS), attempts=1) as house:
        house.proxies[0].then = "401"
        with pytest.raises(ModelRefused) as caught:
            await tell(house.engine)
        assert KEY not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    "url", ["gpu1:8000", "ftp://gpu1/v1", "http://me:secret@gpu1/v1", "http://gpu1/v1?key=1", "http:///v1"]
)
def test_an_endpoint_that_is_no_base_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="an endpoint"):
        settings_of([url])


def test_base_urls_are_brought_into_one_form() -> None:
    given = ["http://gpu1:8000", "http://gpu1:8000/v1/", "https://fleet.example/llm/v1"]
    assert settings_of(given).endpoints == ("http://gpu1:8000/v1", "https://fleet.example/llm/v1")


async def test_leaving_closes_answers_under_way() -> None:
    engine = ScriptedEngine("word " * 1000, delay=0.05)
    async with (
        served(engine) as server,
        remote([server.address]) as opened,
        aclosing(opened.generate(ask("hello", engine=opened))) as events,
    ):
        await anext(events)
    await until(lambda: engine.running == 0)


async def test_servers_are_told_the_conversation_by_a_digest_that_stays_the_same() -> None:
    told: list[str | None] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        if head.startswith("post"):
            found = [line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("x-session-id: ")]
            told.append(found[0] if found else None)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    async with server, remote([f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"]) as engine:
        for conversation in ("slack:T1:ann:1", "slack:T1:ann:1", "slack:T1:bob:2", None):
            with pytest.raises(EngineError):
                await tell(engine, conversation)
    one, again, other, none = told
    assert one == again != other
    assert none is None
    assert one is not None
    assert "ann" not in one
