"""A rating is kept with whether its giver had been told what it may be used for."""

import pytest

from bot.notices import MAY_TRAIN
from tests.core.parts import KEY, OnePersona, make_persona
from tests.core.replica import Replica


async def ratings(replica: Replica) -> list[tuple[object, object, object]]:
    records = [record async for record in replica.store.records.export(KEY)]
    return [(r["rating"], r["comment"], r["may_train"]) for r in records if r["record"] == "rating"]


@pytest.mark.parametrize("told", [True, False])
async def test_only_what_people_who_were_told_rate_may_train(replica: Replica, told: bool) -> None:
    replica.personas = OnePersona(make_persona(rating_notice=MAY_TRAIN if told else None))
    async with replica.serving():
        turn = await replica.hear("hello")
        await replica.delivered(turn)
    assert await replica.inbox.rate(turn, "up", comment="thanks")
    assert await ratings(replica) == [("up", "thanks", told)]
    assert not await replica.inbox.rate("unknown", "up")


async def test_a_second_rating_after_people_are_told_takes_the_place_of_the_first(replica: Replica) -> None:
    async with replica.serving():
        turn = await replica.hear("hello")
        await replica.delivered(turn)
    await replica.inbox.rate(turn, "up")
    replica.personas = OnePersona(make_persona(rating_notice=MAY_TRAIN))
    await replica.inbox.rate(turn, "down")
    assert await ratings(replica) == [("down", None, True)]
