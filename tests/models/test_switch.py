"""Another model takes over while people are being answered."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import EngineDied, EngineError, ModelRefused
from bot.models import Following, Switch, open_switch
from bot.ports import Exchangeable
from bot.testing import FakeChannel
from bot.types import Budget, Message, Prompt, Sampling, TextDelta
from storage.local import plugin as local
from storage.sql import plugin as sql
from tests.core.replica import Replica, until
from tests.models.fleet import Fleet, following


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


@pytest.fixture
async def switch(fleet: Fleet) -> AsyncIterator[Switch]:
    async with open_switch(fleet.open, None) as switch:
        yield switch


def prompt(text: str = "hello") -> Prompt:
    return Prompt(
        messages=(Message(role="user", text=text),),
        sampling=Sampling(),
        budget=Budget(context=100, reserved=10, prompt=2),
    )


async def said(switch: Switch) -> str:
    return "".join([event.text async for event in switch.generate(prompt()) if isinstance(event, TextDelta)])


async def test_the_next_answer_comes_from_the_new_model_and_the_old_one_ends(fleet: Fleet, switch: Switch) -> None:
    assert isinstance(switch, Exchangeable)
    assert (await said(switch), switch.model) == ("base says it", "base")
    await switch.swap("new")
    assert (await said(switch), switch.model) == ("new says it", "new")
    await until(lambda: switch.opened == 1)
    assert fleet.open_now == ["new"]
    await switch.swap(None)
    assert await said(switch) == "base says it"


async def test_who_holds_an_engine_keeps_it_until_they_let_go(fleet: Fleet, switch: Switch) -> None:
    with switch.held() as old:
        await switch.swap("new")
        with switch.held() as new:
            assert (old.model, new.model) == ("base", "new")
            await switch.swap("newest")
            assert fleet.open_now == ["base", "new", "newest"]
    await until(lambda: switch.opened == 1)
    assert fleet.open_now == ["newest"]


async def test_an_answer_under_way_is_finished_by_the_model_that_began_it(fleet: Fleet, switch: Switch) -> None:
    events = switch.generate(prompt())
    first = await anext(events)
    await switch.swap("new")
    rest = [event async for event in events]
    assert "".join(e.text for e in (first, *rest) if isinstance(e, TextDelta)) == "base says it"
    await until(lambda: fleet.open_now == ["new"])


@pytest.mark.parametrize("fault", [ModelRefused("pickle"), EngineDied("out of memory"), ValueError("a bug")])
@pytest.mark.parametrize("where", ["opening", "loading"])
async def test_a_model_that_cannot_be_loaded_changes_nothing(
    fleet: Fleet, switch: Switch, fault: Exception, where: str
) -> None:
    (fleet.refuses if where == "opening" else fleet.fails)["new"] = fault
    with pytest.raises(type(fault)):
        await switch.swap("new")
    assert await said(switch) == "base says it"
    await until(lambda: fleet.open_now == ["base"])


async def test_no_answer_waits_for_a_model_that_loads(fleet: Fleet, switch: Switch) -> None:
    fleet.fails["slow"] = EngineError("still loading")
    swapping = asyncio.create_task(switch.swap("slow"))
    await until(lambda: fleet.open_now == ["base", "slow"])
    assert await said(switch) == "base says it"
    del fleet.fails["slow"]
    await swapping
    assert await said(switch) == "slow says it"


async def test_what_cannot_be_opened_at_the_start_is_raised_as_it_is(fleet: Fleet) -> None:
    fleet.refuses["base"] = ModelRefused("no such folder")
    with pytest.raises(ModelRefused, match="no such folder"):
        async with open_switch(fleet.open, None):
            pytest.fail("it was entered")


async def test_all_engines_end_with_the_switch(fleet: Fleet) -> None:
    async def use() -> None:
        async with open_switch(fleet.open, None) as switch:
            with switch.held():
                await switch.swap("new")
                raise KeyError("the body's own error comes out as it is")

    with pytest.raises(KeyError):
        await use()
    assert fleet.open_now == []


async def test_turns_under_way_finish_and_the_next_come_from_the_chosen_model_and_rollback_brings_the_old_one(
    tmp_path: Path, fleet: Fleet
) -> None:
    fleet.pause.clear()
    settings = sql.settings(url=f"sqlite+aiosqlite:///{tmp_path / 'parley.db'}")
    async with (
        sql.open(settings) as store,
        local.open(local.settings()) as shared,
        open_switch(fleet.open, None) as switch,
        following(store, shared.bus, switch),
    ):
        replica = Replica(store, shared.bus, switch, FakeChannel())
        async with replica.serving():
            early = [await replica.hear("hello", room=f"r{n}") for n in range(6)]
            await until(lambda: sum(bool(reply.text) for reply in replica.channel.replies) == len(early))
            await store.models.use("new")
            await shared.bus.publish("model", "")
            await until(lambda: switch.model == "new")
            assert not replica.channel.delivered
            fleet.pause.set()
            late = [await replica.hear("hello", room=f"r{n}") for n in range(6)]
            found = await replica.delivered(*early, *late)
            assert [d.message.text for d in found] == ["base says it"] * 6 + ["new says it"] * 6
            assert {d.tries for d in found} == {1}
            await until(lambda: fleet.open_now == ["new"])
            await store.models.rollback()
            await shared.bus.publish("model", "")
            await until(lambda: switch.model == "base")
            [last] = await replica.delivered(await replica.hear("hello"))
            assert last.message.text == "base says it"


async def test_two_replicas_follow_a_choice_that_no_bus_tells_them_of(tmp_path: Path, fleet: Fleet) -> None:
    settings = sql.settings(url=f"sqlite+aiosqlite:///{tmp_path / 'parley.db'}")
    async with (
        sql.open(settings) as store,
        local.open(local.settings()) as one,
        local.open(local.settings()) as two,
        open_switch(fleet.open, None) as first,
        open_switch(fleet.open, None) as second,
        following(store, one.bus, first, poll=0.02),
        following(store, two.bus, second, poll=0.02),
    ):
        await store.models.use("new")
        await until(lambda: first.model == second.model == "new")
        await store.models.use("newer")
        await until(lambda: first.model == second.model == "newer")
        await store.models.rollback()
        await until(lambda: first.model == second.model == "new")
        await store.models.rollback()
        await until(lambda: first.model == second.model == "base")


async def test_a_chosen_model_that_a_replica_cannot_load_leaves_it_as_it_is_and_is_not_tried_all_the_time(
    tmp_path: Path, fleet: Fleet, switch: Switch
) -> None:
    fleet.refuses["bad"] = ModelRefused("pickle")
    settings = sql.settings(url=f"sqlite+aiosqlite:///{tmp_path / 'parley.db'}")
    async with sql.open(settings) as store, local.open(local.settings()) as shared:
        follower = Following(models=store.models, bus=shared.bus, switch=switch, followed=None)
        await store.models.use("bad")
        for _ in range(3):
            await follower.look()
        assert (switch.model, fleet.opened.count("bad")) == ("base", 1)
        await store.models.use("good")
        await follower.look()
        assert switch.model == "good"
