"""Slash commands, the message menu and buttons."""

import asyncio
import json

import pytest

from adapters.discord.commands import KEPT_TOLD
from bot.testing import ScriptedEngine
from bot.types import ConversationKey
from tests.discord.house import parley
from tests.discord.platform import Platform
from tests.discord.platform.interactions import Use
from tests.discord.platform.world import Json


async def ready(discord: Platform) -> None:
    await discord.until(lambda: discord.world.commands.get(""))


def buttons(post: Json) -> list[str]:
    return [button["custom_id"].split(":")[1] for row in post["components"] for button in row["components"]]


async def test_ask_is_answered_in_the_response_that_was_thinking(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    async with parley(discord, url):
        await ready(discord)
        use = await discord.slash(ada, room, "ask", question="What is up?")
        await discord.until(lambda: use.text == "You said: What is up?")
        assert use.answered_after is not None
        assert use.answered_after < 1
        await discord.until(lambda: use.message is not None and "up" in buttons(use.message))
        assert len(discord.posts(room)) == 1


async def test_ask_may_name_the_persona_and_offers_them_while_it_is_typed(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(guild := discord.guild())
    async with parley(discord, url) as replica:
        await ready(discord)
        assert await discord.complete(ada, room, "ask", "persona", "help") == ["helper"]
        assert await discord.complete(ada, room, "ask", "persona", "nobody") == []
        use = await discord.slash(ada, room, "ask", question="Hi", persona="helper")
        await discord.until(lambda: use.text == "You said: Hi")
        key = ConversationKey(channel="discord", tenant=guild["id"], room=room["id"], thread="helper")
        assert await replica.core.store.conversations.get(key) is not None


async def test_commands_are_said_in_chinese_where_the_person_reads_chinese(discord: Platform, url: str) -> None:
    async with parley(discord, url):
        await ready(discord)
        ask = discord.command("ask")
        assert ask["name_localizations"] == {"zh-CN": "提问"}
        assert {option["name_localizations"]["zh-CN"] for option in ask["options"]} == {"问题", "角色"}
        assert ask["integration_types"] == [0, 1]
        assert ask["contexts"] == [0, 1, 2]
        names = {(command["name"], command.get("type", 1)) for command in discord.world.commands[""]}
        expected = {(name, 1) for name in ("ask", "new", "persona", "stop", "forget", "help")}
        assert names == expected | {("What is kept of me", 2), ("Ask about this message", 3)}
        assert discord.command("What is kept of me", kind=2)["name_localizations"] == {"zh-CN": "保存了我的哪些内容"}


@pytest.mark.parametrize(("name", "word"), [("help", "!new"), ("stop", "nothing to stop"), ("new", "new conversation")])
async def test_a_slash_command_does_what_the_message_of_that_name_does(
    discord: Platform, url: str, name: str, word: str
) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    async with parley(discord, url):
        await ready(discord)
        use = await discord.slash(ada, room, name)
        await discord.until(lambda: word in use.text)
        assert use.ephemeral == (name in ("help", "stop"))


async def test_persona_lists_in_the_language_of_the_person(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    async with parley(discord, url):
        await ready(discord)
        use = await discord.slash(ada, room, "persona", locale="zh-CN")
        await discord.until(lambda: "助手" in use.text)


async def test_persona_offers_a_menu_that_works_after_a_restart(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(guild := discord.guild())
    async with parley(discord, url):
        await ready(discord)
        use = await discord.slash(ada, room, "persona")
        await discord.until(lambda: use.follow_ups)
    async with parley(discord, url) as replica:
        await ready(discord)
        chosen = await discord.choose(ada, use.follow_ups[0], "helper")
        await discord.until(lambda: "Helper" in chosen.text)
        for _ in range(50):
            bound = await replica.core.store.rooms.bound("discord", guild["id"])
            await asyncio.sleep(0.02)
        assert bound == {room["id"]: "helper"}


async def test_an_admin_s_choice_holds_for_the_room(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(guild := discord.guild())
    async with parley(discord, url) as replica:
        await ready(discord)
        use = await discord.slash(ada, room, "persona", persona="helper")
        await discord.until(lambda: "Helper" in use.text)
        for _ in range(50):
            bound = await replica.core.store.rooms.bound("discord", guild["id"])
            await asyncio.sleep(0.02)
        assert bound == {room["id"]: "helper"}


async def test_forget_deletes_what_was_said(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    async with parley(discord, url) as replica:
        await ready(discord)
        dm = discord.dm(ada)
        await discord.say(ada, dm, "a secret")
        await discord.until(lambda: discord.texts(dm) == ["You said: a secret"])
        use = await discord.slash(ada, dm, "forget")
        await discord.until(lambda: "deleted" in use.text)
        messages = await replica.core.store.conversations.messages(
            ConversationKey(channel="discord", tenant="dm", room=dm["id"])
        )
        assert not any("secret" in message.text for message in messages)


async def test_the_menu_of_a_message_asks_about_it(discord: Platform, url: str) -> None:
    ada, bob, room = discord.person("Ada"), discord.person("Bob"), discord.channel(discord.guild())
    async with parley(discord, url):
        await ready(discord)
        message = await discord.say(bob, room, "The moon is made of cheese.")
        use = await discord.ask_about(ada, message, "Ask about this message")
        await discord.until(lambda: "Bob: The moon is made of cheese." in use.text)


async def records_in(discord: Platform, use: Use) -> list[Json]:
    assert use.message is not None
    (file,) = use.message["attachments"]
    content = discord.world.files[file["url"].removeprefix(discord.world.base)][1]
    return [json.loads(line) for line in content.splitlines()]


async def test_a_person_is_told_what_is_kept_of_them_and_only_they_see_it(discord: Platform, url: str) -> None:
    ada, bob, guild = discord.person("Ada"), discord.person("Bob"), discord.guild()
    room, other = discord.channel(guild), discord.channel(discord.guild("Elsewhere"))
    async with parley(discord, url):
        await ready(discord)
        for place, person, text in ((room, ada, "mine"), (room, bob, "his"), (other, ada, "there")):
            await discord.say(person, place, f"{discord.mention} {text}")
            await discord.until(lambda place=place, text=text: f"You said: {text}" in discord.texts(place))  # type: ignore[misc] # bound now
        use = await discord.look_at(ada, ada, room, "What is kept of me")
        await discord.until(lambda: use.message is not None and use.message["attachments"])
        assert use.ephemeral
        said = [record["text"] for record in await records_in(discord, use) if record["record"] == "message"]
        assert said == ["mine", "You said: mine"]
        assert "1 messages of yours and 1 answers" in use.text


async def test_nobody_is_told_what_is_kept_of_another(discord: Platform, url: str) -> None:
    ada, bob, room = discord.person("Ada"), discord.person("Bob"), discord.channel(discord.guild())
    async with parley(discord, url):
        await ready(discord)
        await discord.say(bob, room, f"{discord.mention} secret")
        await discord.until(lambda: discord.texts(room) == ["You said: secret"])
        use = await discord.look_at(ada, bob, room, "What is kept of me")
        await discord.until(lambda: "only to the person" in use.text)
        assert use.ephemeral
        assert use.message is not None
        assert use.message["attachments"] == []


async def test_of_a_person_who_never_wrote_nothing_is_kept(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    async with parley(discord, url):
        await ready(discord)
        use = await discord.look_at(ada, ada, discord.dm(ada), "What is kept of me", locale="zh-CN")
        await discord.until(lambda: "没有保存" in use.text)


async def test_who_asks_again_and_again_is_told_to_wait(discord: Platform, url: str) -> None:
    ada, bob = discord.person("Ada"), discord.person("Bob")
    async with parley(discord, url):
        await ready(discord)
        for _ in range(int(KEPT_TOLD[0])):
            use = await discord.look_at(ada, ada, discord.dm(ada), "What is kept of me")
            await discord.until(lambda use=use: "nothing" in use.text)  # type: ignore[misc] # bound now
        refused = await discord.look_at(ada, ada, discord.dm(ada), "What is kept of me")
        await discord.until(lambda: "seconds" in refused.text)
        assert refused.ephemeral
        other = await discord.look_at(bob, bob, discord.dm(bob), "What is kept of me")
        await discord.until(lambda: "nothing" in other.text)


async def test_more_than_a_file_may_hold_is_cut_and_said(
    discord: Platform, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = discord.person("Ada")
    monkeypatch.setattr("adapters.discord.kept.MOST_BYTES", 700)
    async with parley(discord, url):
        await ready(discord)
        dm = discord.dm(ada)
        await discord.say(ada, dm, "hello")
        await discord.until(lambda: discord.texts(dm) == ["You said: hello"])
        use = await discord.look_at(ada, ada, dm, "What is kept of me")
        await discord.until(lambda: "is cut" in use.text)
        assert await records_in(discord, use)


async def test_a_reply_that_comes_after_the_interaction_s_time_is_a_message_of_its_own(
    discord: Platform, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    monkeypatch.setattr("adapters.discord.uses.LIFE_SECONDS", 0.3)
    async with parley(discord, url, engine=ScriptedEngine("one two three four five six", delay=0.15)):
        await ready(discord)
        use = await discord.slash(ada, room, "ask", question="Slowly")
        await discord.until(lambda: "one two three four five six" in discord.texts(room))
        assert use.text != "one two three four five six"
        assert not any(request.status >= 400 for request in discord.requests)


async def test_whoever_brought_the_application_along_is_answered_where_the_bot_is_not(
    discord: Platform, url: str
) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    discord.closed.add(room["id"])
    discord.uses.most_follow_ups = 5
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 60 for number in range(12))
    async with parley(discord, url, engine=ScriptedEngine(text)):
        await ready(discord)
        use = await discord.slash(ada, room, "ask", question="Tell me all", brought=True)
        await discord.until(lambda: use.follow_ups and "again" in buttons(use.follow_ups[-1]))
        said = [use.text, *(message["content"] for message in use.follow_ups)]
        assert all(f"Paragraph {number}." in "".join(said) for number in range(12))


async def test_stop_stops_the_reply_and_keeps_what_was_said(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    async with parley(discord, url, engine=ScriptedEngine("word " * 200, delay=0.05)):
        dm = discord.dm(ada)
        await discord.say(ada, dm, "talk")
        await discord.until(lambda: discord.posts(dm) and "stop" in buttons(discord.posts(dm)[0]))
        await discord.press(ada, discord.posts(dm)[0], "stop")
        await discord.until(lambda: "again" in buttons(discord.posts(dm)[0]))
        assert 0 < discord.texts(dm)[0].count("word") < 200


async def test_thumbs_are_kept_and_the_person_is_thanked(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    async with parley(discord, url):
        dm = discord.dm(ada)
        await discord.say(ada, dm, "hello")
        await discord.until(lambda: discord.posts(dm) and "up" in buttons(discord.posts(dm)[0]))
    async with parley(discord, url) as later:  # the buttons outlive a restart
        await discord.until(lambda: len(discord.gateway.hearers()) == 1)
        use = await discord.press(ada, discord.posts(dm)[0], ":up:")
        await discord.until(lambda: "Thank you" in use.text)
        assert use.ephemeral
        key = ConversationKey(channel="discord", tenant="dm", room=dm["id"])
        records = [record async for record in later.core.store.records.export(key)]
        assert [record["rating"] for record in records if record["record"] == "rating"] == ["up"]


async def test_regenerate_answers_the_question_once_more(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    said = iter(["first", "second"])
    async with parley(discord, url, engine=ScriptedEngine(lambda prompt: next(said))):
        dm = discord.dm(ada)
        await discord.say(ada, dm, "hello")
        await discord.until(lambda: discord.posts(dm) and "again" in buttons(discord.posts(dm)[0]))
        use = await discord.press(ada, discord.posts(dm)[0], "again")
        await discord.until(lambda: use.text == "second")


async def test_a_long_answer_may_be_had_as_a_file(discord: Platform, url: str) -> None:
    ada, text = discord.person("Ada"), "\n\n".join(f"Paragraph {number}. " + "word " * 60 for number in range(12))
    async with parley(discord, url, engine=ScriptedEngine(text)):
        dm = discord.dm(ada)
        await discord.say(ada, dm, "tell me all")
        await discord.until(lambda: discord.posts(dm) and "file" in buttons(discord.posts(dm)[-1]))
        use = await discord.press(ada, discord.posts(dm)[-1], "file")
        await discord.until(lambda: use.message is not None)
        assert use.message is not None
        url_of_file = use.message["attachments"][0]["url"].removeprefix(discord.world.base)
        assert discord.world.files[url_of_file][1].decode() == text


async def test_a_button_of_another_place_does_nothing(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    async with parley(discord, url):
        dm = discord.dm(ada)
        await discord.say(ada, dm, "hello")
        await discord.until(lambda: discord.posts(dm) and "up" in buttons(discord.posts(dm)[0]))
        stolen = {**discord.posts(dm)[0], "channel_id": room["id"]}
        use = await discord.press(ada, stolen, ":up:")
        await discord.until(lambda: "no longer" in use.text)


async def test_commands_are_told_to_discord_once_and_stay_when_parley_leaves(discord: Platform, url: str) -> None:
    for _ in range(3):
        async with parley(discord, url):
            await ready(discord)
            await asyncio.sleep(0.1)
    assert discord.syncs == 1
    assert discord.world.commands[""]
