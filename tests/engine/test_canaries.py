"""Five hundred cancelled requests; the soak makes it ten thousand."""

import pytest

from bot.engine.client import LocalEngine
from tests.crash.canaries import USERS, cancel_many, known_answers

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


async def test_a_cancelled_request_shows_nothing_of_another_users_answer(engine: LocalEngine) -> None:
    known = await known_answers(engine)
    assert len({text[:8] for text in known}) == USERS
    found = await cancel_many(engine, known, 500, seed=1)
    assert (found.foreign, found.cancelled + found.finished) == (0, 500)
    assert found.cancelled > 400
    assert await known_answers(engine) == known
    assert (engine.in_flight, engine.unconfirmed) == (0, 0)


async def test_the_check_for_foreign_text_knows_it_when_it_sees_it(engine: LocalEngine) -> None:
    known = await known_answers(engine)
    found = await cancel_many(engine, [*known[1:], known[0]], 20, seed=1)
    assert found.foreign > 10
