"""What every Limiter keeps to. Subclass `LimiterContract` and give it a `limiter` fixture."""

import asyncio
from datetime import timedelta

from bot.ports import Limiter
from bot.types import Rate

NONE = timedelta(0)
SLOW = Rate(burst=3, per_minute=0.1)


class LimiterContract:
    async def test_a_bucket_gives_its_burst_and_then_says_how_long_to_wait(self, limiter: Limiter) -> None:
        assert [await limiter.take({"a": SLOW}) for _ in range(3)] == [NONE] * 3
        wait = await limiter.take({"a": SLOW})
        assert timedelta(seconds=590) < wait <= timedelta(seconds=600)

    async def test_buckets_are_apart(self, limiter: Limiter) -> None:
        for _ in range(4):
            await limiter.take({"a": SLOW})
        assert await limiter.take({"b": SLOW}) == NONE

    async def test_a_bucket_fills_again_with_time(self, limiter: Limiter) -> None:
        quick = Rate(burst=1, per_minute=600)
        assert await limiter.take({"a": quick}) == NONE
        wait = await limiter.take({"a": quick})
        assert NONE < wait <= timedelta(seconds=0.1)
        await asyncio.sleep(wait.total_seconds() + 0.02)
        assert await limiter.take({"a": quick}) == NONE

    async def test_refusals_cost_nothing(self, limiter: Limiter) -> None:
        for _ in range(3):
            await limiter.take({"a": SLOW})
        waits = [await limiter.take({"a": SLOW}) for _ in range(50)]
        assert max(waits) <= timedelta(seconds=600)

    async def test_it_takes_of_all_or_of_none_and_names_the_longest_wait(self, limiter: Limiter) -> None:
        one, slower = Rate(burst=1, per_minute=1), Rate(burst=1, per_minute=0.1)
        await limiter.take({"spent": one, "more spent": slower})
        for _ in range(3):
            wait = await limiter.take({"full": one, "spent": one, "more spent": slower})
            assert timedelta(seconds=590) < wait <= timedelta(seconds=600)
        assert await limiter.take({"full": one}) == NONE

    async def test_takers_at_the_same_time_never_get_more_than_there_is(self, limiter: Limiter) -> None:
        rate = Rate(burst=10, per_minute=0.1)
        waits = await asyncio.gather(*(limiter.take({"a": rate}) for _ in range(40)))
        assert waits.count(NONE) == 10

    async def test_of_no_buckets_there_is_always_enough(self, limiter: Limiter) -> None:
        assert await limiter.take({}) == NONE

    async def test_a_bucket_that_never_fills_is_empty_for_long(self, limiter: Limiter) -> None:
        never = Rate(burst=1, per_minute=0)
        assert await limiter.take({"a": never}) == NONE
        assert await limiter.take({"a": never}) > timedelta(hours=23)
        assert await limiter.take({"b": Rate(burst=0, per_minute=60)}) > NONE
