"""A reply grows before the reader, within Discord's limits, and is there once whatever happens on the way."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.discord.reply import dressed
from bot.testing import ScriptedEngine
from bot.types import Persona
from tests.core.parts import OnePersona, make_persona
from tests.discord.house import parley
from tests.discord.platform import Limit, Platform
from tests.discord.platform.world import Json

EDIT = "/channels/{channel_id}/messages/{message_id}"
CREATE = "/channels/{channel_id}/messages"


def is_done(post: Json) -> bool:
    return any(":again:" in button["custom_id"] for row in post["components"] for button in row["components"])


async def done(discord: Platform, room: Json, *, count: int = 1) -> list[str]:
    """The texts once so many replies are finished."""
    await discord.until(lambda: sum(map(is_done, discord.posts(room))) == count)
    return discord.texts(room)


async def test_a_reply_grows_by_edits_while_the_bot_types(discord: Platform, url: str) -> None:
    ada, words = discord.person("Ada"), " ".join(f"w{number}" for number in range(40))
    async with parley(discord, url, engine=ScriptedEngine(words, delay=0.02)):
        dm = discord.dm(ada)
        await discord.say(ada, dm, "go")
        await discord.until(lambda: discord.texts(dm))
        early = discord.texts(dm)[0]
        assert words.startswith(early)
        assert len(early) < len(words)
        assert dm["id"] in discord.typing
        assert await done(discord, dm) == [words]
        assert discord.count("PATCH", EDIT) > 3


async def test_edits_keep_the_pace_of_the_headers_and_are_never_refused(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    discord.limits.routes[f"PATCH {EDIT}"] = Limit(5, 1.0)
    async with parley(discord, url, engine=ScriptedEngine("word " * 100, delay=0.02)):
        dm, clock = discord.dm(ada), asyncio.get_running_loop().time
        began = clock()
        await discord.say(ada, dm, "go")
        await done(discord, dm)
        windows = clock() - began + 1
        assert discord.limits.refused == 0
        assert 3 <= discord.count("PATCH", EDIT) <= 5 * windows


async def test_a_long_answer_is_split_without_breaking_code_or_characters(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    text = "Intro.\n\n```python\n" + "\n".join(f"line({number}, '😀家')" for number in range(200)) + "\n```\n\nEnd."
    async with parley(discord, url, engine=ScriptedEngine(text)):
        dm = discord.dm(ada)
        await discord.say(ada, dm, "go")
        texts = await done(discord, dm)
        assert len(texts) > 1
        assert all(len(piece.encode("utf-16-le")) <= 4000 and piece.count("```") % 2 == 0 for piece in texts)
        assert all(f"line({number}, '😀家')" in "".join(texts) for number in range(200))


async def test_nobody_is_pinged_whatever_the_model_writes(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    async with parley(discord, url, engine=ScriptedEngine("@everyone @here <@1> <@&2> <@!3>")):
        dm = discord.dm(ada)
        await discord.say(ada, dm, "go")
        (text,) = await done(discord, dm)
        assert not any(ping in text for ping in ("@everyone", "@here", "<@1>", "<@&2>", "<@!3>"))
        assert not any(post["mentions"] for post in discord.posts(dm))


async def test_sources_stand_below_the_answer(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    persona: Persona = make_persona(knowledge=({"path": Path("kb"), "label": "kb"},), grounded="prefer")
    engine = ScriptedEngine("Returns take 30 days.")
    async with parley(discord, url, engine=engine, personas=OnePersona(persona)):
        dm = discord.dm(ada)
        await discord.say(ada, dm, "How long do returns take?")
        await done(discord, dm)
        (embed,) = discord.posts(dm)[0]["embeds"]
        assert "returns.md" in embed["description"]


@pytest.mark.parametrize("share", [0.3])
async def test_lost_answers_double_nothing(discord: Platform, url: str, share: float) -> None:
    ada = discord.person("Ada")
    discord.fail(method="POST", path=CREATE, lost=True, share=share)
    discord.fail(method="PATCH", path=EDIT, lost=True, share=share / 3)
    async with parley(discord, url):
        dm = discord.dm(ada)
        for number in range(20):
            await discord.say(ada, dm, f"n{number}")
            await done(discord, dm, count=number + 1)
        assert discord.texts(dm) == [f"You said: n{number}" for number in range(20)]
        assert discord.deduplicated > 0


async def test_errors_of_the_platform_are_waited_out_in_order(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    discord.fail(method="POST", path=CREATE, status=503, share=0.3, times=6)
    discord.fail(method="POST", path=CREATE, status=429, retry_after=0.5, times=2)
    async with parley(discord, url):
        dm = discord.dm(ada)
        for number in range(5):
            await discord.say(ada, dm, f"n{number}")
        assert await done(discord, dm, count=5) == [f"You said: n{number}" for number in range(5)]


async def test_after_the_nonce_s_time_the_history_tells_what_was_posted(
    discord: Platform, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = discord.person("Ada")
    discord.nonce_window = 0.0
    monkeypatch.setattr("adapters.discord.posting.NONCE_LIFE", timedelta())
    discord.fail(method="POST", path=CREATE, lost=True, times=1)
    async with parley(discord, url):
        dm = discord.dm(ada)
        await discord.say(ada, dm, "hello")
        assert await done(discord, dm) == ["You said: hello"]


async def test_without_nonce_and_history_a_lost_answer_would_double_the_reply(
    discord: Platform, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the two tests before."""
    ada = discord.person("Ada")
    discord.nonce_window = 0.0
    discord.fail(method="POST", path=CREATE, lost=True, times=1)
    async with parley(discord, url):
        dm = discord.dm(ada)
        await discord.say(ada, dm, "hello")
        await discord.until(lambda: len(discord.posts(dm)) == 2)


async def test_a_replica_that_takes_over_goes_on_in_the_same_message(discord: Platform, url: str) -> None:
    ada, words = discord.person("Ada"), " ".join(f"w{number}" for number in range(60))
    dm = discord.dm(ada)
    async with parley(discord, url, engine=ScriptedEngine(words, delay=0.05)) as first:
        await discord.say(ada, dm, "go")
        await discord.until(lambda: discord.texts(dm))
        await first.stop()
    async with parley(discord, url, engine=ScriptedEngine(words)):
        assert await done(discord, dm) == [words]


async def test_a_closed_room_is_given_up_and_the_next_reply_goes_on(discord: Platform, url: str) -> None:
    ada, closed, room = discord.person("Ada"), discord.channel(guild := discord.guild()), discord.channel(guild)
    discord.closed.add(closed["id"])
    async with parley(discord, url) as replica:
        await discord.say(ada, closed, f"{discord.mention} hello")
        await discord.say(ada, room, f"{discord.mention} hello")
        assert await done(discord, room) == ["You said: hello"]
        for _ in range(100):
            failed = await replica.core.store.failures.newest()
            await asyncio.sleep(0.05)
            if failed:
                break
        assert failed[0].undelivered


def test_every_message_is_within_the_limit_after_dressing() -> None:
    for text in ("*_~`|" * 2000, "家" * 9000, "😀" * 5000, "# a\n" * 3000, "[x](https://example.org/)" * 500):
        assert all(len(piece.encode("utf-16-le")) <= 4000 for piece in dressed(text))
