"""Outages, restarts and several replicas: every message is heard once, and few sessions are begun."""

import asyncio
import time
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.discord.sessions import DAY, MOST_A_DAY, pause
from adapters.discord.starts import RESERVE, Starts
from bot.errors import ConfigError
from tests.discord.house import heartbeats, parley
from tests.discord.platform import Platform
from tests.discord.platform.world import Json
from tests.postgres_server import PostgresServer


async def answered(discord: Platform, room: Json, count: int, *, seconds: float = 30) -> list[str]:
    await discord.until(lambda: len(discord.posts(room)) >= count, seconds=seconds)
    await asyncio.sleep(0.3)
    return sorted(discord.texts(room))


def expected(*texts: str) -> list[str]:
    return sorted(f"You said: {text}" for text in texts)


async def test_what_was_written_during_a_short_cut_is_replayed(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    async with parley(discord, url):
        dm = discord.dm(ada)
        await discord.say(ada, dm, "one")
        await answered(discord, dm, 1)
        await discord.gateway.drop()
        await discord.say(ada, dm, "two")
        assert await answered(discord, dm, 2) == expected("one", "two")
        assert discord.gateway.resumes == 1
        assert len(discord.gateway.identifies) == 1


async def test_the_gateway_may_ask_to_come_again(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    async with parley(discord, url):
        dm = discord.dm(ada)
        await discord.gateway.ask_to_reconnect()
        await discord.until(lambda: discord.gateway.resumes == 1)
        await discord.say(ada, dm, "one")
        assert await answered(discord, dm, 1) == expected("one")


async def test_after_a_lost_session_the_history_is_read(discord: Platform, url: str) -> None:
    ada, guild = discord.person("Ada"), discord.guild()
    room, dm = discord.channel(guild), discord.dm(ada)
    async with parley(discord, url):
        await discord.say(ada, room, f"{discord.mention} one")
        await discord.say(ada, dm, "one")
        await answered(discord, room, 1)
        await answered(discord, dm, 1)
        await asyncio.sleep(3.5)  # what was heard is noted
        await discord.gateway.go_offline()
        for number in range(120):  # more than one page of history
            await discord.say(ada, room, f"{discord.mention} n{number}" if number % 20 == 0 else "talk")
        await discord.say(ada, dm, "two")
        for session in list(discord.gateway.sessions.values()):
            discord.gateway.end(session)
        discord.gateway.accepting = True
        wanted = ["one", *(f"n{number}" for number in range(0, 120, 20))]
        assert await answered(discord, room, len(wanted)) == expected(*wanted)
        assert await answered(discord, dm, 2) == expected("one", "two")
        assert len(discord.gateway.identifies) == 2


async def test_an_invalid_session_begins_a_new_one_and_loses_nothing(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    async with parley(discord, url):
        await discord.say(ada, room, f"{discord.mention} one")
        await answered(discord, room, 1)
        await asyncio.sleep(3.5)  # what was heard is noted
        await discord.gateway.invalidate()
        await discord.say(ada, room, f"{discord.mention} two")
        assert await answered(discord, room, 2) == expected("one", "two")


async def test_an_event_that_cannot_be_read_ends_nothing(discord: Platform, url: str) -> None:
    ada, guild = discord.person("Ada"), discord.guild()
    async with parley(discord, url):
        dm = discord.dm(ada)
        for event in ("MESSAGE_CREATE", "THREAD_CREATE", "INTERACTION_CREATE"):
            nonsense = {"id": "1", "guild_id": guild["id"], "nonsense": True}
            await discord.gateway.dispatch(event, nonsense, guild=guild["id"], shown=lambda data, content: data)
        await discord.say(ada, dm, "one")
        assert await answered(discord, dm, 1) == expected("one")
        assert len(discord.gateway.identifies) == 1


async def test_the_next_process_resumes_the_session_of_the_last(discord: Platform, url: str) -> None:
    ada, guild = discord.person("Ada"), discord.guild()
    room = discord.channel(guild)
    async with parley(discord, url):
        await discord.say(ada, room, f"{discord.mention} one")
        await answered(discord, room, 1)
        await asyncio.sleep(3.5)  # the session is noted
    thread = await discord.thread(room, "meanwhile", owner=ada)
    await discord.say(ada, thread, f"{discord.mention} two")
    async with parley(discord, url):
        assert await answered(discord, thread, 1) == expected("two")
        assert len(discord.gateway.identifies) == 1
        assert discord.gateway.resumes == 1


async def test_one_of_two_replicas_holds_the_gateway_and_the_other_takes_it_over(
    discord: Platform, postgres: PostgresServer
) -> None:
    ada = discord.person("Ada")
    dm = discord.dm(ada)
    with postgres.database() as name:
        async with parley(discord, postgres.url(name)) as first, parley(discord, postgres.url(name), listens=True):
            await asyncio.sleep(1)
            assert len(discord.gateway.sockets) == 1
            await discord.say(ada, dm, "one")
            await answered(discord, dm, 1)
            began = time.monotonic()
            await first.stop()
            await discord.say(ada, dm, "two")
            assert await answered(discord, dm, 2) == expected("one", "two")
            assert time.monotonic() - began < 20


async def test_an_owner_that_loses_its_lease_lets_go(discord: Platform, url: str) -> None:
    async with parley(discord, url) as replica:
        offices, office = replica.core.store.offices, f"discord.gateway.{discord.bot['id']}.0"
        await offices.leave(office, holder=replica.channel.holder)
        assert await offices.hold(office, holder="another", lease=timedelta(minutes=1))
        await discord.until(lambda: not discord.gateway.sockets)


async def test_a_shard_that_cannot_log_in_at_once_is_begun_again(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    async with parley(discord, url, waits=False, listens=False) as replica:
        discord.fail(method="GET", path="/users/@me", status=503, times=2)
        listening = asyncio.create_task(replica.channel.listen())
        await discord.until(discord.gateway.hearers)
        await discord.say(ada, discord.dm(ada), "one")
        assert await answered(discord, discord.dm(ada), 1) == expected("one")
        listening.cancel()
        await asyncio.wait({listening})


async def test_shards_share_the_servers(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    rooms = [discord.channel(discord.guild(f"g{number}")) for number in range(4)]
    async with parley(discord, url, shards=2):
        await discord.until(lambda: len(discord.gateway.hearers()) == 2)
        for room in rooms:
            await discord.say(ada, room, f"{discord.mention} hello")
        for room in rooms:
            assert await answered(discord, room, 1) == expected("hello")
        assert sorted(session.shard for session in discord.gateway.hearers()) == [(0, 2), (1, 2)]


async def test_a_wrong_token_is_told_in_one_line(discord: Platform, url: str) -> None:
    with pytest.raises(ConfigError, match="DISCORD_TOKEN"):
        async with parley(discord, url, token=SecretStr(discord.token + "x")):
            pass


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 3600), min_size=150, max_size=150))
def test_a_crash_loop_begins_at_most_fifty_sessions_a_day(rests: list[float]) -> None:
    now, times = 0.0, list[float]()
    for rest in rests:
        now += rest
        now += pause(times, now).total_seconds()
        times.append(now)
        assert len([at for at in times if at > now - DAY]) <= MOST_A_DAY + 1 <= 50
    assert times[9] == pytest.approx(sum(rests[:10]))


async def crash(discord: Platform, url: str, *, times: int) -> None:
    """Begin again and again, each time without a session to resume."""
    for _ in range(times):
        discord.gateway.sessions.clear()
        begun = len(discord.gateway.identifies)
        async with parley(discord, url, waits=False) as replica:
            with suppress(TimeoutError):
                await discord.until(
                    lambda begun=begun, replica=replica: (  # type: ignore[misc] # bound now
                        len(discord.gateway.identifies) > begun or replica.running.done()
                    ),
                    seconds=1,
                )


async def test_a_crash_loop_leaves_discord_s_own_budget_its_reserve(discord: Platform, url: str) -> None:
    discord.gateway.budget, token = RESERVE + 3, discord.token
    await crash(discord, url, times=5)
    assert len(discord.gateway.identifies) == 3
    assert discord.gateway.budget == RESERVE
    assert discord.token == token


async def test_without_a_look_at_discord_s_budget_a_crash_loop_costs_the_token(
    discord: Platform, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the test before."""
    monkeypatch.setattr("adapters.discord.starts.RESERVE", -1)
    discord.gateway.budget, token = 3, discord.token
    await crash(discord, url, times=4)
    assert discord.token != token


async def test_a_shard_waits_until_discord_gives_sessions_again(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    discord.gateway.budget, discord.gateway.reset_seconds = RESERVE, 3.0
    async with parley(discord, url, waits=False):
        await discord.until(lambda: discord.count("GET", "/gateway/bot"))
        assert not discord.gateway.identifies
        await discord.until(discord.gateway.hearers)
        await discord.say(ada, discord.dm(ada), "one")
        assert await answered(discord, discord.dm(ada), 1) == expected("one")


@pytest.mark.parametrize("at_once", [1, 2])
async def test_shards_begin_apart_as_discord_wants_it(discord: Platform, url: str, at_once: int) -> None:
    discord.gateway.at_once = at_once
    async with parley(discord, url, shards=4):
        await discord.until(lambda: len(discord.gateway.hearers()) == 4)
        assert len(discord.gateway.identifies) == 4
        assert discord.gateway.hasty == 0
        first, second, *_ = discord.gateway.identifies
        assert (second - first < discord.gateway.apart) == (at_once > 1)


async def test_shards_that_begin_at_the_same_moment_are_sent_away(
    discord: Platform, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the test before."""
    monkeypatch.setattr("adapters.discord.starts.APART", timedelta(milliseconds=1))
    discord.gateway.apart = 5.0
    async with parley(discord, url, shards=4):
        await discord.until(lambda: discord.gateway.hasty > 0)


async def test_a_shard_that_is_stopped_before_its_session_began_lets_its_connection_go(
    discord: Platform, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = asyncio.Event()

    async def wait(_starts: Starts) -> None:
        waits.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Starts, "begin", wait)
    async with parley(discord, url, waits=False):
        await asyncio.wait_for(waits.wait(), 10)
        assert heartbeats()
    await discord.until(lambda: not heartbeats())
    assert not discord.gateway.identifies


async def test_a_token_that_was_reset_meanwhile_is_told_in_one_line(discord: Platform, url: str) -> None:
    async with parley(discord, url) as replica:
        discord.world.reset_token()
        await discord.gateway.invalidate()
        await asyncio.wait({replica.running}, timeout=10)
        error = replica.running.exception()
        assert isinstance(error, ExceptionGroup)
        assert error.subgroup(lambda one: isinstance(one, ConfigError) and "DISCORD_TOKEN" in str(one))


async def test_the_budget_is_kept_over_restarts(discord: Platform, url: str) -> None:
    await crash(discord, url, times=12)
    assert len(discord.gateway.identifies) == 10
