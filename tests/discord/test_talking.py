"""People write on Discord; Parley answers where they expect it."""

import pytest

from tests.core.parts import OnePersona, make_persona
from tests.discord.house import parley
from tests.discord.platform import Platform
from tests.discord.platform.world import Json


async def test_a_direct_message_is_answered(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    async with parley(discord, url):
        dm = discord.dm(ada)
        await discord.say(ada, dm, "Hello")
        await discord.until(lambda: any("Hello" in text for text in discord.texts(dm)))
        assert discord.texts(dm) == ["You said: Hello"]


async def test_a_mention_is_answered_as_a_reply_and_other_talk_is_not(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    async with parley(discord, url):
        await discord.say(ada, room, "just talking")
        asked = await discord.say(ada, room, f"{discord.mention} how are you?")
        await discord.until(lambda: discord.texts(room) == ["You said: how are you?"])
        (post,) = discord.posts(room)
        assert post["message_reference"]["message_id"] == asked["id"]


async def test_a_reply_to_another_s_message_brings_that_message_along(discord: Platform, url: str) -> None:
    ada, bob, room = discord.person("Ada"), discord.person("Bob"), discord.channel(discord.guild())
    async with parley(discord, url):
        first = await discord.say(bob, room, "It leaks.")
        await discord.say(ada, room, f"{discord.mention} why?", reply_to=first)
        await discord.until(lambda: discord.texts(room))
        await discord.until(lambda: "Bob: It leaks." in discord.texts(room)[0] and "why?" in discord.texts(room)[0])


READ_ONE = "/channels/{channel_id}/messages/{message_id}"


async def chain(discord: Platform, room: Json, *texts: str) -> Json:
    """People answer each other; the last message."""
    last: Json | None = None
    for number, text in enumerate(texts):
        last = await discord.say(discord.person(f"P{number}"), room, text, reply_to=last)
    assert last is not None
    return last


async def test_a_chain_of_replies_is_told_in_order_and_once(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    async with parley(discord, url):
        last = await chain(discord, room, "a", "b", "c")
        await discord.say(ada, room, f"{discord.mention} why?", reply_to=last)
        await discord.until(lambda: discord.texts(room) == ["You said: > P0: a\n\n> P1: b\n\n> P2: c\n\nwhy?"])
        assert discord.count("GET", READ_ONE) == 0  # it heard them


async def test_a_chain_from_before_is_read_up_to_its_bound(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    last = await chain(discord, room, *(f"m{number}" for number in range(12)))
    async with parley(discord, url):
        await discord.say(ada, room, f"{discord.mention} why?", reply_to=last)
        quoted = "".join(f"> P{number}: m{number}\n\n" for number in range(7, 12))
        await discord.until(lambda: discord.texts(room) == [f"You said: {quoted}why?"])
        assert discord.count("GET", READ_ONE) == 2  # each brings the one before it along


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_a_chain_ends_where_discord_does_not_show_it(discord: Platform, url: str, status: int) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    last = await chain(discord, room, "a", "b", "c")
    discord.fail(method="GET", path=READ_ONE, status=status)
    async with parley(discord, url):
        await discord.say(ada, room, f"{discord.mention} why?", reply_to=last)
        await discord.until(lambda: discord.texts(room) == ["You said: > P2: c\n\nwhy?"])


async def test_a_chain_goes_back_to_what_the_bot_remembers(discord: Platform, url: str) -> None:
    ada, bob, room = discord.person("Ada"), discord.person("Bob"), discord.channel(discord.guild())
    async with parley(discord, url):
        first = await discord.say(bob, room, "It drips.")
        await discord.say(ada, room, f"{discord.mention} one", reply_to=first)
        await discord.until(lambda: discord.texts(room) == ["You said: > Bob: It drips.\n\none"])
        asked = discord.messages(room)[1]
        doubt = await discord.say(bob, room, "really?", reply_to=asked)
        await discord.say(ada, room, f"{discord.mention} two", reply_to=doubt)
        told = "You said: > Ada: one\n\n> Bob: really?\n\ntwo"
        await discord.until(lambda: discord.texts(room)[1:] == [told])
        hm = await discord.say(bob, room, "hm", reply_to=discord.posts(room)[1])
        await discord.until(lambda: discord.texts(room)[2:] == ["You said: hm"])
        await discord.say(ada, room, f"{discord.mention} three", reply_to=hm)
        await discord.until(lambda: discord.texts(room)[3:] == ["You said: > Bob: hm\n\nthree"])


async def test_what_was_deleted_is_not_told_in_a_chain(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    async with parley(discord, url):
        last = await chain(discord, room, "secret", "b")
        answered = await discord.say(ada, room, "c", reply_to=last)
        await discord.delete(discord.messages(room)[0])
        await discord.say(ada, room, f"{discord.mention} why?", reply_to=answered)
        await discord.until(lambda: discord.texts(room) == ["You said: > P1: b\n\n> Ada: c\n\nwhy?"])


async def test_in_a_thread_what_is_quoted_is_not_told_again(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    async with parley(discord, url) as replica:
        thread = await discord.thread(room, "leak", owner=ada)
        await discord.say(ada, thread, "overheard")
        last = await chain(discord, thread, "a", "b")
        await discord.say(ada, thread, f"{discord.mention} why?", reply_to=last)
        await discord.until(lambda: discord.texts(thread))
        (prompt,) = replica.engine.prompts  # type: ignore[attr-defined] # the scripted engine of the house
        told = "\n".join(message.text for message in prompt.messages)
        assert [told.count(text) for text in ("overheard", "P0: a", "P1: b")] == [1, 1, 1]


async def test_a_reply_to_the_bot_needs_no_mention(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    async with parley(discord, url):
        await discord.say(ada, room, f"{discord.mention} one")
        await discord.until(lambda: discord.texts(room) == ["You said: one"])
        await discord.say(ada, room, "two", reply_to=discord.posts(room)[0])
        await discord.until(lambda: discord.texts(room) == ["You said: one", "You said: two"])


async def test_a_thread_is_a_conversation_that_goes_on_without_mentions(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    async with parley(discord, url):
        thread = await discord.thread(room, "leak", owner=ada)
        await discord.say(ada, thread, "The tap drips.")
        await discord.say(ada, thread, f"{discord.mention} help")
        await discord.until(lambda: discord.texts(thread) == ["You said: The tap drips.\nhelp"])
        await discord.say(ada, thread, "thanks")
        await discord.until(lambda: discord.texts(thread)[1:] == ["You said: thanks"])
        assert discord.texts(room) == []


async def test_a_mention_may_open_a_thread(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    async with parley(discord, url, answers_in="thread"):
        asked = await discord.say(ada, room, f"{discord.mention} how?")
        await discord.until(lambda: asked["id"] in discord.world.channels)
        thread = discord.world.channels[asked["id"]]
        await discord.until(lambda: discord.texts(thread) == ["You said: how?"])
        await discord.say(ada, thread, "and then?")
        await discord.until(lambda: discord.texts(thread) == ["You said: how?", "You said: and then?"])


async def test_where_no_thread_may_be_opened_the_answer_is_in_place(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    discord.fail(method="POST", path="/threads", status=403)
    async with parley(discord, url, answers_in="thread"):
        await discord.say(ada, room, f"{discord.mention} how?")
        await discord.until(lambda: discord.texts(room) == ["You said: how?"])


async def test_in_a_room_of_its_own_everything_is_for_it_and_so_is_every_forum_post(
    discord: Platform, url: str
) -> None:
    ada, guild = discord.person("Ada"), discord.guild()
    room, forum = discord.channel(guild), discord.forum(guild)
    async with parley(discord, url, rooms=(room["id"], forum["id"])):
        await discord.say(ada, room, "no mention")
        post = await discord.ask_in_forum(ada, forum, "Leak", "It drips.")
        await discord.until(lambda: discord.texts(room) == ["You said: no mention"])
        await discord.until(lambda: discord.texts(post) == ["You said: It drips."])


async def test_a_server_that_is_not_named_gets_no_answer(discord: Platform, url: str) -> None:
    ada, mine = discord.person("Ada"), discord.channel(home := discord.guild())
    other = discord.channel(discord.guild("Elsewhere"))
    async with parley(discord, url, guilds=(home["id"],)):
        await discord.say(ada, other, f"{discord.mention} hello")
        await discord.say(ada, mine, f"{discord.mention} hello")
        await discord.until(lambda: discord.texts(mine) == ["You said: hello"])
        assert discord.texts(other) == []


async def test_other_bots_are_not_answered(discord: Platform, url: str) -> None:
    robot, ada, room = discord.world.person("Robot", bot=True), discord.person("Ada"), discord.channel(discord.guild())
    async with parley(discord, url):
        await discord.say(robot, room, f"{discord.mention} hello")
        await discord.say(ada, room, f"{discord.mention} hello")
        await discord.until(lambda: discord.texts(room))
        assert len(discord.posts(room)) == 1


async def test_a_question_taken_back_goes_with_its_answer(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    async with parley(discord, url) as replica:
        dm = discord.dm(ada)
        asked = await discord.say(ada, dm, "secret")
        await discord.until(lambda: discord.texts(dm) == ["You said: secret"])
        await discord.until(lambda: _is_finished(discord.posts(dm)[0]))
        await discord.delete(asked)
        await discord.say(ada, dm, "next")
        await discord.until(lambda: "You said: next" in discord.texts(dm))
        prompts = replica.engine.prompts  # type: ignore[attr-defined] # the scripted engine of the house
        assert not any("secret" in message.text for message in prompts[-1].messages)


async def test_an_edited_question_is_asked_again_and_overheard_talk_is_not(discord: Platform, url: str) -> None:
    ada, room = discord.person("Ada"), discord.channel(discord.guild())
    async with parley(discord, url, personas=OnePersona(make_persona(edits="answer"))):
        talk = await discord.say(ada, room, "just talking")
        asked = await discord.say(ada, room, f"{discord.mention} wat")
        await discord.until(lambda: discord.texts(room) == ["You said: wat"])
        await discord.edit(talk, "still talking")
        await discord.edit(asked, f"{discord.mention} what")
        await discord.until(lambda: discord.texts(room) == ["You said: wat", "You said: what"])


async def test_a_text_file_becomes_part_of_the_question(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    async with parley(discord, url):
        dm = discord.dm(ada)
        await discord.say(ada, dm, "what is this?", files={"notes.txt": "买牛奶".encode()})
        await discord.until(lambda: discord.texts(dm))
        await discord.until(lambda: "买牛奶" in discord.texts(dm)[0] and "notes.txt" in discord.texts(dm)[0])


async def test_a_file_that_is_no_text_or_too_big_is_refused_in_words(discord: Platform, url: str) -> None:
    ada = discord.person("Ada")
    async with parley(discord, url, attachment_bytes=2048):
        dm = discord.dm(ada)
        await discord.say(
            ada, dm, "", files={"cat.png": b"\x89PNG", "big.txt": b"x" * 4096, "bad.txt": b"\xff\xfe\xfa"}
        )
        await discord.until(lambda: discord.texts(dm))
        (said,) = discord.texts(dm)
        assert "cat.png" in said
        assert "2 KiB" in said
        assert "bad.txt" in said


async def test_without_the_intent_mentions_and_direct_messages_are_answered(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Platform.running(content_allowed=False) as discord:
        ada, room = discord.person("Ada"), discord.channel(discord.guild())
        async with parley(discord, url):
            await discord.say(ada, room, f"{discord.mention} how?")
            await discord.say(ada, discord.dm(ada), "hello")
            await discord.until(lambda: discord.texts(room) == ["You said: how?"])
            await discord.until(lambda: discord.texts(discord.dm(ada)) == ["You said: hello"])
        assert "Message Content Intent" in capsys.readouterr().out


def _is_finished(post: Json) -> bool:
    return any("up" in button["custom_id"] for row in post["components"] for button in row["components"])
