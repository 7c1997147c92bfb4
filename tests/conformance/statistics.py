"""What the statistics keep to. Subclass `StatisticsContract` and give it `clock` and `store` fixtures of one clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.ports import Store
from bot.types import DayCount, Rating
from tests.conformance.samples import Clock, accept, answered, begun, claimed, key, outcome


def today(clock: Clock) -> date:
    return datetime.fromtimestamp(clock(), UTC).date()


async def counted(store: Store, day: date) -> DayCount:
    await store.statistics.refresh(day, zone=UTC)
    (found,) = await store.statistics.since(day)
    return found


class StatisticsContract:
    async def test_a_day_counts_its_turns_ratings_tokens_and_seconds(self, store: Store, clock: Clock) -> None:
        await accept(store, "e1")
        clock.pass_(timedelta(seconds=3))
        claim = await claimed(store)
        work = await begun(store, claim)
        await store.turns.finish(claim, work.turn.id, outcome())
        await store.outbox.sent(claim, work.turn.id)
        await store.claims.release(claim)
        await answered(store, "e2", room="other")
        await store.turns.rate(work.turn.id, Rating(rating="up"))
        day = today(clock)
        for _ in range(2):
            assert await counted(store, day) == DayCount(
                day=day,
                persona="tutor",
                channel="web",
                turns=2,
                failed=0,
                stopped=0,
                up=1,
                down=0,
                prompt_tokens=120,
                new_tokens=10,
                seconds=3.0,
            )
        assert await store.statistics.newest() == day

    async def test_what_is_erased_stays_counted(self, store: Store, clock: Clock) -> None:
        await answered(store, "e1")
        await answered(store, "e2", room="other")
        before = await counted(store, today(clock))
        await store.conversations.erase(key("other"))
        assert await counted(store, today(clock)) == before
        await store.conversations.erase(key())
        assert await counted(store, today(clock)) == before

    async def test_days_begin_where_the_zone_says(self, store: Store, clock: Clock) -> None:
        assert await store.statistics.newest() is None
        late = datetime.fromtimestamp(clock(), UTC).replace(hour=23, minute=30)
        clock.pass_(late - datetime.fromtimestamp(clock(), UTC))
        await answered(store, "e1")
        day = late.date()
        await store.statistics.refresh(day, zone=ZoneInfo("Asia/Tokyo"))
        assert await store.statistics.newest() is None
        await store.statistics.refresh(day + timedelta(days=1), zone=ZoneInfo("Asia/Tokyo"))
        assert await store.statistics.newest() == day + timedelta(days=1)
        assert await store.statistics.since(day + timedelta(days=2)) == ()
