"""Limiter and window in one process: their suites, and the bounds on what they keep."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.types import Rate
from storage.local import LocalBusSettings, LocalShared, open_shared
from storage.local.limiter import LocalLimiter
from storage.local.window import LocalWindow
from tests.conformance.limiter import NONE, LimiterContract
from tests.conformance.samples import key
from tests.conformance.window import WindowContract, memory


@pytest.fixture
async def shared() -> AsyncIterator[LocalShared]:
    async with open_shared(LocalBusSettings(), now=asyncio.get_running_loop().time) as shared:
        yield shared


class TestLocalLimiter(LimiterContract):
    @pytest.fixture
    def limiter(self, shared: LocalShared) -> LocalLimiter:
        return shared.limiter


class TestLocalWindow(WindowContract):
    @pytest.fixture
    def window(self, shared: LocalShared) -> LocalWindow:
        return shared.window


async def test_however_many_names_there_are_few_buckets_are_kept() -> None:
    limiter = LocalLimiter(now=lambda: 0.0, buckets=100)
    slow = Rate(burst=1, per_minute=1)
    for number in range(10_000):
        assert await limiter.take({f"user {number}": slow, "all": Rate(burst=20_000, per_minute=1)}) == NONE
        assert len(limiter) <= 100
    assert await limiter.take({"user 9999": slow}) > NONE


async def test_buckets_that_are_full_again_are_dropped() -> None:
    time = 0.0
    limiter = LocalLimiter(now=lambda: time)
    for number in range(1000):
        await limiter.take({str(number): Rate(burst=1, per_minute=60)})
    time = 2.0
    for _ in range(500):
        await limiter.take({"busy": Rate(burst=1000, per_minute=60)})
    assert len(limiter) == 1


async def test_a_window_keeps_the_memories_used_last() -> None:
    window = LocalWindow(conversations=2, characters=10_000)
    for room in ("a", "b"):
        await window.put(key(room), memory())
    await window.get(key("a"))
    await window.put(key("c"), memory())
    assert await window.get(key("b")) is None
    assert await window.get(key("a")) == await window.get(key("c")) == memory()


async def test_a_window_holds_no_more_text_than_it_may() -> None:
    window = LocalWindow(conversations=1000, characters=5000)
    for number in range(50):
        await window.put(key(str(number)), memory(text="x" * 400))
        assert window.characters <= 5000
    await window.put(key("49"), memory(text="x" * 10_000))
    assert await window.get(key("49")) is None
    for number in range(50):
        await window.forget(key(str(number)))
    assert window.characters == 0
